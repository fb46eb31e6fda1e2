// SPDX-License-Identifier: MIT
// The table of libtutti_torch: no exception leaves it.
#include <cstdio>
#include <exception>

#include <torch/headeronly/version.h>

#include "gpu/torch/session.h"

using namespace tutti::gpu;

namespace {

template <class Run>
int guarded(char* why, int size, Run run) {
    try {
        run();
        return 0;
    } catch (const std::exception& error) {
        // libtorch's texts go on with a trace after the first line.
        int length = 0;
        const char* const text = error.what();
        while (text[length] != '\0' && text[length] != '\n')
            ++length;
        std::snprintf(why, static_cast<std::size_t>(size), "%.*s", length, text);
        return 1;
    }
}

} // namespace

#if defined(__GNUC__)
#define TUTTI_TORCH_EXPORT __attribute__((visibility("default")))
#else
#define TUTTI_TORCH_EXPORT
#endif

extern "C" TUTTI_TORCH_EXPORT const TorchTable* tutti_torch_table(int version) {
    static const TorchTable table = {
        k_torch_interface,
        [](const char* device, int threads, int pure, char* why, int size) -> void* {
            TorchSession* session = nullptr;
            guarded(why, size, [&] { session = open_session(device, threads, pure != 0); });
            return session;
        },
        [](void* self) { close_session(static_cast<TorchSession*>(self)); },
        [](void* self, const TorchBatch* batch, char* why, int size) {
            return guarded(why, size, [&] { render_batch(*static_cast<TorchSession*>(self), *batch); });
        },
        [](TorchFit* fit, char* why, int size) { return guarded(why, size, [&] { fit_patch(*fit); }); },
        [](const TorchTwin* twin, char* why, int size) { return guarded(why, size, [&] { render_twin(*twin); }); },
        [](const TorchFit* fit, double* loss, double* gradient, char* why, int size) {
            return guarded(why, size, [&] { *loss = loss_gradient(*fit, gradient); });
        },
        [](int voices, int frames, int threads) {
            double seconds = -1.0;
            char unused[2];
            guarded(unused, sizeof unused, [&] { seconds = eager_seconds(voices, frames, threads); });
            return seconds;
        },
        [] { return TORCH_VERSION; },
    };
    return version == k_torch_interface ? &table : nullptr;
}
