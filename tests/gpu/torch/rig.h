// SPDX-License-Identifier: MIT
// An engine whose streams render on libtorch, and one patch played on any engine. Without libtorch the test is skipped.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <doctest/doctest.h>

#include "engine/cpu/backend.h"
#include "engine/stream/hooks.h"
#include "gpu/torch/library.h"
#include "gpu/torch/torch_backend.h"

namespace tutti::torch_rig {

// Called from a test's static initializer: 77 where the library is not there.
inline const gpu::TorchTable* library_or_skip() {
    const char* const named = std::getenv("TUTTI_TORCH_LIBRARY");
    if (named != nullptr && std::string(named) == "none") {
        std::printf("SKIP: built without libtorch (cmake/fetch_torch.py fetches it)\n");
        std::fflush(stdout);
        std::exit(77);
    }
    const auto library = gpu::torch_library();
    if (!library) {
        std::printf("%s\n", library.status().message().c_str());
        std::exit(1);
    }
    return *library;
}

struct Rig {
    std::shared_ptr<gpu::TorchBackend*> last;
    std::unique_ptr<Engine> engine;
    gpu::TorchStats stats() const { return (*last)->stats(); }
};
inline Rig make(bool pure = false) {
    Rig rig;
    rig.last = std::make_shared<gpu::TorchBackend*>(nullptr);
    engine::Hooks hooks = engine::default_hooks();
    hooks.make_backend = [kept = rig.last, pure](const EngineConfig&, int) -> Result<std::unique_ptr<engine::Backend>> {
        auto made = gpu::TorchBackend::make({.device = "cpu", .threads = 1, .pure = pure},
                                            engine::make_cpu_backend(1, engine::Isa::scalar));
        if (!made) return made.status();
        *kept = made->get();
        return std::unique_ptr<engine::Backend>(std::move(*made));
    };
    rig.engine = engine::create_engine({.threads = 1}, hooks).value();
    return rig;
}
inline std::unique_ptr<Engine> make_reference() {
    engine::Hooks hooks = engine::default_hooks();
    hooks.make_backend = [](const EngineConfig&, int) -> Result<std::unique_ptr<engine::Backend>> {
        return engine::make_cpu_backend(1, engine::Isa::scalar);
    };
    return engine::create_engine({.threads = 1}, hooks).value();
}

// Chords of eight notes, some of them let go, bent half-way: left and right one after the other.
inline std::vector<float> play(Engine& engine, const Patch& patch, int frames, int channels = 2) {
    auto stream =
        engine.open({.channels = channels, .mode = Mode::offline, .parts = 1, .voices = 256, .limiter = false}).value();
    REQUIRE(stream->set_patch(0, patch, 0).ok());
    auto sender = stream->make_sender().value();
    for (int i = 0; i < 8; ++i) {
        sender.post(Event::note_on(41 * i, 0, 36 + 5 * i, 0.4 + 0.05 * i));
        if (i % 3 == 0) sender.post(Event::note_off(frames / 2 + 100 * i, 0, 36 + 5 * i));
    }
    sender.post(Event::midi(frames / 3, 0, 0xe0, 0, 90));
    std::vector<float> sound(static_cast<std::size_t>(2 * frames));
    for (int at = 0; at < frames; at += 64) {
        float* out[] = {sound.data() + at, sound.data() + frames + at};
        stream->pull(out, std::min(64, frames - at));
    }
    return sound;
}
// dB of the largest difference below the reference's peak.
inline double distance(const std::vector<float>& own, const std::vector<float>& reference) {
    double error = 0.0, peak = 1e-9;
    for (std::size_t i = 0; i < reference.size(); ++i) {
        error = std::max(error, std::fabs(static_cast<double>(own[i]) - reference[i]));
        peak = std::max(peak, std::fabs(static_cast<double>(reference[i])));
    }
    return 20.0 * std::log10(error / peak + 1e-12);
}

} // namespace tutti::torch_rig
