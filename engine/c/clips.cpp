// SPDX-License-Identifier: MIT
// Clips through the C interface.
#include <algorithm>
#include <cstring>

#include "engine/c/handle.h"

using tutti::ClipConfig;
using tutti::Status;
using namespace tutti::engine;

namespace {

// As far as the caller's struct goes.
bool take(const tutti_sound* given, tutti_sound& sound) noexcept {
    sound = {};
    sound.fade_seconds = 0.005;
    if (given == nullptr || given->struct_size < offsetof(tutti_sound, borrow)) return false;
    std::memcpy(&sound, given, std::min<std::size_t>(given->struct_size, sizeof sound));
    return sound.channels >= 1 && sound.channels <= SoundView::k_most_channels && sound.sample_rate >= 1.0 &&
           sound.sample_rate <= 1e6;
}

ClipConfig config_of(const tutti_sound& sound) noexcept {
    ClipConfig config;
    config.gain_db = sound.gain_db;
    config.pitch = sound.pitch;
    config.loop = sound.loop;
    config.loop_begin = sound.loop_begin;
    config.fade_seconds = sound.fade_seconds;
    return config;
}

template <class Make>
tutti_result play(tutti_engine* engine, int32_t part, const tutti_sound* given, int64_t frame, tutti_clip** out,
                  Make&& make) noexcept {
    if (engine == nullptr || out == nullptr || !engine->state) return TUTTI_INVALID_ARGUMENT;
    *out = nullptr;
    try {
        const MemoryScope scope(engine->memory());
        tutti_sound sound;
        if (!take(given, sound))
            return engine->fail(TUTTI_INVALID_ARGUMENT, "a sound has 1..16 channels, a rate and its struct_size");
        std::shared_ptr<ClipPlayer> player;
        if (const tutti_result result = make(sound, player); result != TUTTI_OK) return result;
        auto clip = std::make_unique<tutti_clip>();
        if (auto started = engine->state->play(part, player, frame); !started) return engine->fail(started.status());
        clip->engine = engine;
        clip->player = std::move(player);
        clip->borrowed = sound.borrow;
        clip->next = engine->clips;
        if (clip->next != nullptr) clip->next->previous = clip.get();
        *out = engine->clips = clip.release();
        return TUTTI_OK;
    } catch (const std::bad_alloc&) {
        return engine->fail(TUTTI_OUT_OF_MEMORY, "there is not enough memory: the clip was not played");
    } catch (...) {
        return engine->fail(TUTTI_INTERNAL, "an exception that nobody expected");
    }
}

} // namespace

extern "C" tutti_result tutti_play(tutti_engine* engine, int32_t part, const tutti_sound* given, int64_t frame,
                                   tutti_clip** out) noexcept {
    return play(engine, part, given, frame, out, [&](const tutti_sound& sound, std::shared_ptr<ClipPlayer>& player) {
        if (sound.samples == nullptr || sound.frames < 1)
            return engine->fail(TUTTI_INVALID_ARGUMENT, "the sound has no samples");
        for (int32_t c = 0; c < sound.channels; ++c)
            if (sound.samples[c] == nullptr)
                return engine->fail(TUTTI_INVALID_ARGUMENT, "a channel's samples are null");
        const ClipConfig config = config_of(sound);
        if (const Status status = ClipPlayer::check(config, sound.frames); !status) return engine->fail(status);
        SoundView view;
        view.channels = sound.channels;
        view.frames = sound.frames;
        view.sample_rate = sound.sample_rate;
        std::shared_ptr<Vector<float>> copy;
        const auto frames = static_cast<std::size_t>(sound.frames);
        if (!sound.borrow) copy = make_shared_here<Vector<float>>(frames * static_cast<std::size_t>(sound.channels));
        for (int32_t c = 0; c < sound.channels; ++c) {
            view.channel[c] = sound.samples[c];
            if (copy == nullptr) continue;
            float* const to = copy->data() + frames * static_cast<std::size_t>(c);
            std::copy_n(sound.samples[c], frames, to);
            view.channel[c] = to;
        }
        player = make_shared_here<ClipPlayer>(view, std::move(copy), config, engine->config.sample_rate);
        return TUTTI_OK;
    });
}

extern "C" tutti_result tutti_play_written(tutti_engine* engine, int32_t part, const tutti_sound* given,
                                           double buffer_seconds, int64_t frame, tutti_clip** out) noexcept {
    return play(engine, part, given, frame, out, [&](tutti_sound& sound, std::shared_ptr<ClipPlayer>& player) {
        if (!(buffer_seconds >= 0.01 && buffer_seconds <= 60.0))
            return engine->fail(TUTTI_OUT_OF_RANGE, "buffer_seconds: choose 0.01..60");
        sound.borrow = false;
        const ClipConfig config = config_of(sound);
        if (const Status status = ClipPlayer::check(config, -1); !status) return engine->fail(status);
        const int capacity = std::max(1024, static_cast<int>(std::min(buffer_seconds * sound.sample_rate, 6e7)));
        player = make_shared_here<ClipPlayer>(sound.channels, sound.sample_rate, capacity, config,
                                              engine->config.sample_rate);
        return TUTTI_OK;
    });
}

extern "C" uint32_t tutti_clip_write(tutti_clip* clip, const float* const* samples, uint32_t frames) noexcept {
    if (clip == nullptr || clip->player == nullptr || samples == nullptr || !clip->player->is_written()) return 0;
    return static_cast<uint32_t>(clip->player->write(samples, static_cast<int>(std::min<uint32_t>(frames, 1u << 30))));
}
extern "C" void tutti_clip_finish(tutti_clip* clip) noexcept {
    if (clip != nullptr && clip->player != nullptr) clip->player->finish();
}
extern "C" tutti_result tutti_clip_stop(tutti_clip* clip, int64_t frame) noexcept {
    if (clip == nullptr) return TUTTI_INVALID_ARGUMENT;
    if (clip->player == nullptr || !clip->engine->state) return TUTTI_OK;
    const Status status = clip->engine->state->stop(*clip->player, frame);
    return status.ok() ? TUTTI_OK : clip->engine->fail(status);
}
extern "C" bool tutti_clip_ended(const tutti_clip* clip) noexcept {
    return clip == nullptr || clip->player == nullptr || clip->player->retired.is_set();
}
extern "C" tutti_result tutti_clip_release(tutti_clip* clip) noexcept {
    if (clip == nullptr) return TUTTI_OK;
    tutti_engine& engine = *clip->engine;
    if (clip->borrowed && !tutti_clip_ended(clip))
        return engine.fail(TUTTI_WRONG_STATE,
                           "the clip still reads borrowed samples: stop it and pull until it has ended");
    (clip->previous != nullptr ? clip->previous->next : engine.clips) = clip->next;
    if (clip->next != nullptr) clip->next->previous = clip->previous;
    delete clip;
    return TUTTI_OK;
}
