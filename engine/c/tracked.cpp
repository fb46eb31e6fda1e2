// SPDX-License-Identifier: MIT
// Tracked voices through the C interface.
#include <algorithm>
#include <cstring>

#include "engine/c/handle.h"

using namespace tutti::engine;

extern "C" void tutti_voice_init(tutti_voice_start_info* info, size_t size) noexcept {
    if (info == nullptr || size < sizeof(uint32_t)) return;
    tutti_voice_start_info all{};
    all.key = 60;
    all.velocity = 0.8f;
    all.gain = 1.0f;
    all.near_distance = 1.0f;
    std::memset(static_cast<void*>(info), 0, size);
    std::memcpy(static_cast<void*>(info), &all, std::min(size, sizeof all));
    info->struct_size = static_cast<uint32_t>(size);
}

extern "C" tutti_voice tutti_voice_start(tutti_engine* engine, const tutti_voice_start_info* given) noexcept {
    if (engine == nullptr || given == nullptr || !engine->state) return 0;
    tutti_voice_start_info info;
    tutti_voice_init(&info, sizeof info);
    std::memcpy(&info, given, std::min<std::size_t>(given->struct_size, sizeof info));
    if (info.around != 0 && !engine->has_part(info.part + VoiceTracker::k_sectors - 1)) return 0;
    if (!engine->has_part(info.part) || info.key < 0 || info.key > 127) return 0;
    TrackedVoice voice;
    voice.part = info.part;
    voice.key = info.key;
    voice.velocity = info.velocity;
    voice.gain = info.gain;
    voice.pan = info.pan;
    voice.pitch = info.pitch;
    voice.lowpass_hz = info.lowpass_hz;
    voice.send = info.send;
    voice.priority = info.priority;
    voice.place[0] = info.x;
    voice.place[1] = info.y;
    voice.place[2] = info.z;
    voice.near_distance = info.near_distance;
    voice.far_distance = info.far_distance;
    voice.seconds = info.seconds;
    voice.around = info.around != 0;
    return engine->tracker.start(voice, engine->state->closed());
}

extern "C" bool tutti_voice_stop(tutti_engine* engine, tutti_voice voice) noexcept {
    return engine != nullptr && engine->state && engine->tracker.stop(voice, engine->state->closed());
}
extern "C" bool tutti_voice_move(tutti_engine* engine, tutti_voice voice, float x, float y, float z) noexcept {
    return engine != nullptr && engine->tracker.move(voice, x, y, z);
}
extern "C" bool tutti_voice_set(tutti_engine* engine, tutti_voice voice, tutti_expression field, float value) noexcept {
    if (engine == nullptr) return false;
    switch (field) {
    case TUTTI_PITCH:
        return engine->tracker.set(voice, VoiceField::pitch, value);
    case TUTTI_GAIN:
        return engine->tracker.set(voice, VoiceField::gain, value);
    case TUTTI_PAN:
        return engine->tracker.set(voice, VoiceField::pan, value);
    case TUTTI_SEND:
        return engine->tracker.set(voice, VoiceField::send, value);
    case TUTTI_LOWPASS:
        return engine->tracker.set(voice, VoiceField::lowpass, value);
    default:
        return false;
    }
}
extern "C" bool tutti_voice_is_audible(const tutti_engine* engine, tutti_voice voice) noexcept {
    return engine != nullptr && engine->tracker.is_audible(voice);
}
extern "C" void tutti_listener_move(tutti_engine* engine, const float place[3], const float right[3]) noexcept {
    if (engine != nullptr && place != nullptr && right != nullptr) engine->tracker.listen(place, right);
}
extern "C" void tutti_listener_face(tutti_engine* engine, const float place[3], const float right[3],
                                    const float front[3]) noexcept {
    if (engine == nullptr || place == nullptr || right == nullptr || front == nullptr) return;
    engine->tracker.listen(place, right, front);
}
extern "C" void tutti_voices_update(tutti_engine* engine) noexcept {
    if (engine != nullptr && engine->state) engine->tracker.update(engine->state->closed());
}
