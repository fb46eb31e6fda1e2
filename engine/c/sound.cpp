// SPDX-License-Identifier: MIT
// An engine's sound through the C interface: pulls, pause, what it says of itself.
#include <algorithm>
#include <cstring>
#include <iterator>

#include "engine/c/handle.h"

using namespace tutti::engine;

namespace {

// Fades, stands still and comes back as the pause wishes. `out` has room for `frames`.
void render(tutti_engine& engine, float* const* out, int frames) noexcept {
    const bool paused = engine.wants_pause.load(std::memory_order_relaxed);
    const int channels = engine.config.channels;
    if (!paused && engine.fade == engine.fade_frames) {
        engine.state->pull(out, frames);
        return;
    }
    const int sounding = paused ? std::min(frames, engine.fade) : frames;
    if (sounding > 0) engine.state->pull(out, sounding);
    for (int i = 0; i < sounding; ++i) {
        engine.fade = std::clamp(engine.fade + (paused ? -1 : 1), 0, engine.fade_frames);
        const float gain = static_cast<float>(engine.fade) / static_cast<float>(engine.fade_frames);
        for (int c = 0; c < channels; ++c)
            out[c][i] *= gain;
    }
    for (int c = 0; c < channels; ++c)
        std::fill(out[c] + sounding, out[c] + frames, 0.0f);
}

bool too_large(const tutti_engine& engine, uint32_t frames) noexcept {
    return engine.config.mode == TUTTI_MODE_AHEAD && frames > static_cast<uint32_t>(engine.config.max_frames);
}

} // namespace

extern "C" tutti_result tutti_pull(tutti_engine* engine, float* const* out, uint32_t frames) noexcept {
    if (engine == nullptr || out == nullptr || !engine->state) return TUTTI_INVALID_ARGUMENT;
    const int channels = engine->config.channels;
    for (int c = 0; c < channels; ++c)
        if (out[c] == nullptr) return TUTTI_INVALID_ARGUMENT;
    if (too_large(*engine, frames)) {
        for (int c = 0; c < channels; ++c)
            std::fill_n(out[c], frames, 0.0f);
        return TUTTI_WRONG_STATE;
    }
    float* at[TUTTI_MAX_CHANNELS];
    std::copy_n(out, channels, at);
    // An int's worth at a time.
    while (frames > 0) {
        const auto count = static_cast<int>(std::min<uint32_t>(frames, 1u << 20));
        render(*engine, at, count);
        for (int c = 0; c < channels; ++c)
            at[c] += count;
        frames -= static_cast<uint32_t>(count);
    }
    return TUTTI_OK;
}

extern "C" tutti_result tutti_pull_interleaved(tutti_engine* engine, float* out, uint32_t frames) noexcept {
    if (engine == nullptr || out == nullptr || !engine->state) return TUTTI_INVALID_ARGUMENT;
    const auto channels = static_cast<std::size_t>(engine->config.channels);
    if (too_large(*engine, frames)) {
        std::fill_n(out, channels * frames, 0.0f);
        return TUTTI_WRONG_STATE;
    }
    float* planes[TUTTI_MAX_CHANNELS];
    for (std::size_t c = 0; c < channels; ++c)
        planes[c] = engine->mixed[c];
    while (frames > 0) {
        const uint32_t count = std::min<uint32_t>(frames, static_cast<uint32_t>(std::size(engine->mixed[0])));
        render(*engine, planes, static_cast<int>(count));
        for (std::size_t c = 0; c < channels; ++c)
            for (uint32_t i = 0; i < count; ++i)
                out[i * channels + c] = planes[c][i];
        out += count * channels;
        frames -= count;
    }
    return TUTTI_OK;
}

extern "C" void tutti_pause(tutti_engine* engine, bool paused) noexcept {
    if (engine != nullptr) engine->wants_pause.store(paused, std::memory_order_relaxed);
}

extern "C" int64_t tutti_frame(const tutti_engine* engine) noexcept {
    return engine != nullptr && engine->state ? engine->state->closed() : 0;
}
extern "C" int32_t tutti_latency_frames(const tutti_engine* engine) noexcept {
    return engine != nullptr && engine->state ? engine->state->latency_frames() : 0;
}
extern "C" int64_t tutti_tail_frames(const tutti_engine* engine) noexcept {
    return engine != nullptr && engine->state ? engine->state->tail_frames() : 0;
}
extern "C" const char* tutti_backend(const tutti_engine* engine) noexcept {
    return engine != nullptr ? engine->backend : "";
}

extern "C" tutti_result tutti_get_stats(const tutti_engine* engine, tutti_stats* stats) noexcept {
    if (engine == nullptr || stats == nullptr || stats->struct_size < sizeof(uint32_t) || !engine->state)
        return TUTTI_INVALID_ARGUMENT;
    const tutti::StreamStats from = engine->state->stats();
    tutti_stats all{};
    all.struct_size = stats->struct_size;
    all.voices = from.voices;
    all.tracked_voices = engine->tracker.tracked();
    all.audible_voices = engine->tracker.audible();
    all.frames = from.frames;
    all.late_events = from.late_events;
    all.dropped_events = from.dropped_events;
    all.late_blocks = from.late_blocks;
    all.refused_pulls = from.refused_pulls;
    all.stolen_voices = from.stolen_voices;
    all.shed_voices = from.shed_voices;
    all.muted_voices = from.muted_voices;
    all.peak = from.peak;
    if (engine->arena) {
        const std::size_t handle = Arena::rounded(sizeof(tutti_engine));
        all.memory_used = engine->arena->used() + handle;
        all.memory_most = engine->arena->most_used() + handle;
        all.memory_size = engine->arena->size() + handle;
    }
    std::memcpy(stats, &all, std::min<std::size_t>(stats->struct_size, sizeof all));
    return TUTTI_OK;
}
