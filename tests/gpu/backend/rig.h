// SPDX-License-Identifier: MIT
// An engine whose streams render on a simulated device, and the same piece of music on any engine.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "engine/cpu/backend.h"
#include "engine/stream/hooks.h"
#include "gpu/backend/device_backend.h"
#include "gpu/simulated/device.h"
#include "voices/registry.h"

namespace tutti::rig {

inline gpu::BackendConfig small_config() {
    gpu::BackendConfig config;
    config.rows = 128;
    config.banks = 16;
    config.edits = 4096;
    config.deltas = 4096;
    config.mirror_voices = 2048;
    config.budget_us = 10e6; // a test's machine may be slow
    return config;
}

// The backend of the stream that was opened last.
struct Rig {
    std::shared_ptr<gpu::DeviceBackend*> last;
    std::unique_ptr<Engine> engine;
    gpu::DeviceBackend& backend() const { return **last; }
};
inline Rig make(const gpu::SimulatedOptions& options, const gpu::BackendConfig& config) {
    Rig rig;
    engine::Hooks hooks = engine::default_hooks();
    auto kept = std::make_shared<gpu::DeviceBackend*>(nullptr);
    rig.last = kept;
    hooks.make_backend = [=](const EngineConfig&, int) -> Result<std::unique_ptr<engine::Backend>> {
        auto made = gpu::DeviceBackend::make(gpu::make_simulated_device(options),
                                             engine::make_cpu_backend(1, engine::Isa::scalar), config);
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

struct Take {
    std::vector<float> left, right;
    StreamStats stats;
    friend bool operator==(const Take& a, const Take& b) { return a.left == b.left && a.right == b.right; }
};

// Two parts of a type, chords with a bend and a parameter that moves.
inline Take play(Engine& engine, const std::string& voice, int frames, int block, int notes = 6) {
    auto stream = engine.open({.mode = Mode::offline, .parts = 2, .voices = 256, .limiter = false}).value();
    Patch patch;
    patch.voice = voice;
    if (voice == "ambient_pad") patch.parameters = {{"env1_attack", 0.02}, {"env1_release", 0.1}};
    patch.voices = 128;
    for (int part = 0; part < 2; ++part)
        REQUIRE(stream->set_patch(part, patch, 0).ok());
    auto sender = stream->make_sender().value();
    const int keys[] = {36, 38, 42, 49, 55, 60, 64, 67};
    for (int i = 0; i < notes; ++i)
        for (int part = 0; part < 2; ++part) {
            sender.post(Event::note_on(37 * i + 7 + part, part, keys[i % 8] + i / 8, 0.3 + 0.05 * (i % 8)));
            if (i % 2 == 0) sender.post(Event::note_off(frames / 2 + 13 * i, part, keys[i % 8] + i / 8));
        }
    sender.post(Event::midi(frames / 3, 0, 0xe0, 0, 96));
    Take take;
    take.left.resize(static_cast<std::size_t>(frames));
    take.right.resize(static_cast<std::size_t>(frames));
    for (int at = 0; at < frames; at += block) {
        float* out[] = {take.left.data() + at, take.right.data() + at};
        stream->pull(out, std::min(block, frames - at));
    }
    take.stats = stream->stats();
    return take;
}

inline double rms(const std::vector<float>& x, int from, int to) {
    double sum = 0.0;
    for (int i = from; i < to; ++i)
        sum += static_cast<double>(x[static_cast<std::size_t>(i)]) * x[static_cast<std::size_t>(i)];
    return std::sqrt(sum / (to - from));
}

} // namespace tutti::rig
