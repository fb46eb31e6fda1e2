// SPDX-License-Identifier: MIT
// The device is opened before the stream, which takes its rate: silence until the output stands.
#pragma once

#include <atomic>

#include "cli/live_output.h"

namespace tutti::cli {

struct LateOutput {
    std::atomic<LiveOutput*> live{nullptr};
    static void callback(void* user, float* const* out, int frames) noexcept {
        if (LiveOutput* output = static_cast<LateOutput*>(user)->live.load(std::memory_order_acquire))
            LiveOutput::callback(output, out, frames);
        else
            for (int c = 0; c < 2; ++c)
                for (int i = 0; i < frames; ++i)
                    out[c][i] = 0.0f;
    }
};

} // namespace tutti::cli
