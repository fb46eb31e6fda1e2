// SPDX-License-Identifier: MIT
// Over 400 lines: who sounds and what is posted of it are read best together.
#include "engine/track/voice_tracker.h"

#include <algorithm>
#include <cmath>

#include "voices/fields.h"

namespace tutti::engine {
namespace {

constexpr float k_inaudible = 1e-4f;     // -80 dB: what is below is not worth a voice
constexpr float k_stay = 1.4125f;        // 3 dB: how far another must be above one that sounds
constexpr double k_round_seconds = 0.01; // within which every voice is looked at
constexpr int k_fade_steps = 8;          // of the fade-in, each a ramp of one tick
constexpr double k_fade_seconds = 0.005;
constexpr double k_new_seconds = 0.02;
constexpr float k_sector_degrees = 360.0f / VoiceTracker::k_sectors;
constexpr float k_over_degrees = 3.0f; // past its sector's end, so that one on the border does not go to and fro
// Fades of 2 ms have 16 spare slots in a part; so many changes a millisecond cannot fill them.
constexpr double k_changes_a_second = 6000.0;

float linear(float decibels) noexcept {
    return static_cast<float>(std::pow(10.0, std::clamp(static_cast<double>(decibels), -120.0, 120.0) / 20.0));
}
float sane(float value, float low, float high) noexcept {
    return std::isfinite(value) ? std::clamp(value, low, high) : low > 0.0f ? low : 0.0f;
}

} // namespace

void VoiceTracker::prepare(int tracked, int audible, double sample_rate, EventQueue::Producer* sender) {
    m_capacity = tracked;
    m_audible = std::min(audible, tracked);
    const auto count = static_cast<std::size_t>(tracked);
    for (Vector<float>* list : {&m_x, &m_y, &m_z, &m_near, &m_far, &m_level, &m_weight, &m_gain, &m_pan, &m_pitch,
                                &m_lowpass, &m_send, &m_velocity, &m_score}) {
        *list = Vector<float>();
        list->assign(count, 0.0f);
    }
    m_start = Vector<std::int64_t>(count);
    m_end = Vector<std::int64_t>(count);
    m_generation = Vector<std::uint32_t>(count);
    m_part = Vector<std::uint16_t>(count);
    m_key = Vector<std::uint8_t>(count);
    m_sector = Vector<std::uint8_t>(count);
    m_place = Vector<std::int32_t>(count);
    m_free = Vector<std::int32_t>(count);
    m_heard = Vector<Heard>(static_cast<std::size_t>(m_audible));
    restart(sample_rate, sender);
}

void VoiceTracker::restart(double sample_rate, EventQueue::Producer* sender) noexcept {
    m_rate = sample_rate;
    m_sender = sender;
    m_count = m_highest = m_heard_count = m_next = 0;
    m_frame = -1;
    for (int i = 0; i < m_capacity; ++i) {
        const auto n = static_cast<std::size_t>(i);
        m_generation[n] = (m_generation[n] + 1) & ~1u;
        m_place[n] = -1;
        m_level[n] = 0.0f;
        m_free[n] = m_capacity - 1 - i; // the lowest on top
    }
}

int VoiceTracker::index_of(Handle handle) const noexcept {
    const auto index = static_cast<std::uint32_t>(handle);
    const auto generation = static_cast<std::uint32_t>(handle >> 32);
    if (index >= static_cast<std::uint32_t>(m_capacity) || (generation & 1u) == 0) return -1;
    return m_generation[index] == generation ? static_cast<int>(index) : -1;
}

bool VoiceTracker::is_audible(Handle handle) const noexcept {
    const int index = index_of(handle);
    return index >= 0 && m_place[static_cast<std::size_t>(index)] >= 0;
}

VoiceTracker::Handle VoiceTracker::start(const TrackedVoice& voice, std::int64_t frame) noexcept {
    if (m_count == m_capacity) return 0;
    const std::int32_t index = m_free[static_cast<std::size_t>(m_capacity - 1 - m_count)];
    const auto n = static_cast<std::size_t>(index);
    ++m_count;
    m_highest = std::max(m_highest, static_cast<int>(index) + 1);
    ++m_generation[n];
    m_part[n] = static_cast<std::uint16_t>(voice.part);
    m_key[n] = static_cast<std::uint8_t>(voice.key & 127);
    m_velocity[n] = sane(voice.velocity, 0.0f, 1.0f);
    m_gain[n] = sane(voice.gain, 0.0f, 4.0f);
    m_pan[n] = sane(voice.pan, -1.0f, 1.0f);
    m_pitch[n] = sane(voice.pitch, -120.0f, 120.0f);
    m_lowpass[n] = sane(voice.lowpass_hz, 0.0f, 1e6f);
    m_send[n] = sane(voice.send, 0.0f, 1.0f);
    m_weight[n] = linear(voice.priority);
    m_level[n] = m_gain[n] * m_velocity[n];
    m_x[n] = voice.place[0];
    m_y[n] = voice.place[1];
    m_z[n] = voice.place[2];
    const bool placed = voice.far_distance > voice.near_distance && voice.near_distance > 0.0f;
    m_near[n] = placed ? voice.near_distance : 1.0f;
    m_far[n] = placed ? voice.far_distance : 0.0f;
    m_start[n] = frame;
    m_end[n] = voice.seconds > 0.0 ? frame + static_cast<std::int64_t>(voice.seconds * m_rate) : INT64_MAX;
    m_place[n] = -1;
    m_sector[n] = voice.around && placed ? 1 : 0;
    return static_cast<Handle>(m_generation[n]) << 32 | static_cast<Handle>(static_cast<std::uint32_t>(index));
}

void VoiceTracker::free(int index) noexcept {
    const auto n = static_cast<std::size_t>(index);
    ++m_generation[n];
    m_level[n] = 0.0f;
    --m_count;
    m_free[static_cast<std::size_t>(m_capacity - 1 - m_count)] = index;
    if (m_count == 0) m_highest = 0;
}

bool VoiceTracker::stop(Handle handle, std::int64_t frame) noexcept {
    const int index = index_of(handle);
    if (index < 0) return false;
    const auto n = static_cast<std::size_t>(index);
    if (m_place[n] >= 0) {
        // Let go as a key is: it rings out by itself.
        if (!post(Event::note_off(frame, part_of(index), m_key[n], 0.5, note_id(index)))) {
            m_end[n] = frame; // the next update tries again
            return true;
        }
        const Heard last = m_heard[static_cast<std::size_t>(--m_heard_count)];
        m_place[static_cast<std::size_t>(last.index)] = m_place[n];
        m_heard[static_cast<std::size_t>(m_place[n])] = last;
        m_place[n] = -1;
    }
    free(index);
    return true;
}

bool VoiceTracker::move(Handle handle, float x, float y, float z) noexcept {
    const int index = index_of(handle);
    if (index < 0 || !std::isfinite(x + y + z)) return false;
    const auto n = static_cast<std::size_t>(index);
    m_x[n] = x;
    m_y[n] = y;
    m_z[n] = z;
    return true;
}

bool VoiceTracker::set(Handle handle, VoiceField field, float value) noexcept {
    const int index = index_of(handle);
    if (index < 0 || !std::isfinite(value)) return false;
    const auto n = static_cast<std::size_t>(index);
    switch (field) {
    case VoiceField::gain:
        m_gain[n] = sane(value, 0.0f, 4.0f);
        m_level[n] = m_gain[n] * m_velocity[n];
        break;
    case VoiceField::pan:
        m_pan[n] = sane(value, -1.0f, 1.0f);
        break;
    case VoiceField::pitch:
        m_pitch[n] = sane(value, -120.0f, 120.0f);
        break;
    case VoiceField::lowpass:
        m_lowpass[n] = sane(value, 0.0f, 1e6f);
        break;
    case VoiceField::send:
        m_send[n] = sane(value, 0.0f, 1.0f);
        break;
    case VoiceField::priority:
        m_weight[n] = linear(value);
        break;
    }
    return true;
}

void VoiceTracker::listen(const float place[3], const float right[3]) noexcept {
    const float front[3] = {right[2], 0.0f, -right[0]}; // y x right
    listen(place, right, front);
}
void VoiceTracker::listen(const float place[3], const float right[3], const float front[3]) noexcept {
    std::copy_n(place, 3, m_listener);
    std::copy_n(right, 3, m_right);
    std::copy_n(front, 3, m_front);
}

float VoiceTracker::azimuth(int index) const noexcept {
    const auto n = static_cast<std::size_t>(index);
    const float x = m_x[n] - m_listener[0], y = m_y[n] - m_listener[1], z = m_z[n] - m_listener[2];
    const float side = x * m_right[0] + y * m_right[1] + z * m_right[2];
    const float ahead = x * m_front[0] + y * m_front[1] + z * m_front[2];
    return side == 0.0f && ahead == 0.0f ? 0.0f : std::atan2(side, ahead) * 57.29578f;
}

int VoiceTracker::part_of(int index) const noexcept {
    const auto n = static_cast<std::size_t>(index);
    return m_part[n] + (m_sector[n] != 0 ? m_sector[n] - 1 : 0);
}

// From a sector's middle, -180..180.
float VoiceTracker::off_sector(int index) const noexcept {
    const float middle = k_sector_degrees * static_cast<float>(m_sector[static_cast<std::size_t>(index)] - 1);
    return std::remainder(azimuth(index) - middle, 360.0f);
}

// Inverse to the distance from `near` on, with an even slope to nothing at `far`.
float VoiceTracker::loudness(int index, float* pan) const noexcept {
    const auto n = static_cast<std::size_t>(index);
    if (pan != nullptr) *pan = m_pan[n];
    float level = m_level[n];
    if (m_far[n] <= 0.0f) return level;
    const float x = m_x[n] - m_listener[0], y = m_y[n] - m_listener[1], z = m_z[n] - m_listener[2];
    const float distance = std::sqrt(x * x + y * y + z * z);
    const float past = std::clamp((distance - m_near[n]) / (m_far[n] - m_near[n]), 0.0f, 1.0f);
    if (pan != nullptr && m_sector[n] != 0) {
        // Equal power over the sector: linear in the angle of the gains. Within `near` it draws to the middle.
        const float off = std::clamp(off_sector(index) / (0.5f * k_sector_degrees), -1.0f, 1.0f);
        *pan = std::clamp(*pan + std::sin(1.5707963f * off) * std::min(1.0f, distance / m_near[n]), -1.0f, 1.0f);
        // Two sides of one signal add up in an ambisonic bus, where loudspeakers' powers do.
        if (m_ambisonic) level /= std::sqrt(0.5f - 0.5f * *pan) + std::sqrt(0.5f + 0.5f * *pan);
    } else if (pan != nullptr && distance > 1e-6f) {
        // Within `near` the sound is around the listener: the side goes with the distance.
        const float side = (x * m_right[0] + y * m_right[1] + z * m_right[2]) / std::max(distance, m_near[n]);
        *pan = std::clamp(*pan + side, -1.0f, 1.0f);
    }
    return level * m_near[n] / std::max(distance, m_near[n]) * (1.0f - past * past);
}

// Of indices [begin, end): plain loops over arrays, which the compiler turns into vectors.
void VoiceTracker::loudnesses(int begin, int end) noexcept {
    const float *x = m_x.data(), *y = m_y.data(), *z = m_z.data(), *near = m_near.data(), *far = m_far.data();
    const float *level = m_level.data(), *weight = m_weight.data();
    float* const score = m_score.data();
    const float lx = m_listener[0], ly = m_listener[1], lz = m_listener[2];
    for (int i = begin; i < end; ++i) {
        const float dx = x[i] - lx, dy = y[i] - ly, dz = z[i] - lz;
        const float square = dx * dx + dy * dy + dz * dz;
        const bool placed = far[i] > 0.0f;
        const float distance = std::sqrt(placed ? square : 0.0f);
        const float reach = placed ? far[i] - near[i] : 1.0f;
        float past = (distance - near[i]) / reach;
        past = past < 0.0f ? 0.0f : past;
        past = past > 1.0f ? 1.0f : past;
        const float outside = distance > near[i] ? distance : near[i];
        const float heard = level[i] * near[i] / outside * (1.0f - past * past);
        score[i] = heard > k_inaudible ? heard * weight[i] : 0.0f;
    }
}

bool VoiceTracker::hear(int index, float score, std::int64_t frame) noexcept {
    const auto n = static_cast<std::size_t>(index);
    Heard& heard = m_heard[static_cast<std::size_t>(m_heard_count)];
    heard.index = index;
    heard.score = score;
    if (m_sector[n] != 0) // the nearest
        m_sector[n] = static_cast<std::uint8_t>(
            1 + (static_cast<int>(std::lround(azimuth(index) / k_sector_degrees)) + k_sectors) % k_sectors);
    heard.gain = loudness(index, &heard.pan) / std::max(m_velocity[n], 1e-6f);
    heard.pitch = m_pitch[n];
    heard.lowpass = m_lowpass[n];
    heard.send = m_send[n];
    const int part = part_of(index), key = m_key[n];
    const std::int32_t id = note_id(index);
    // One that has just begun is a new note with its own attack, and not one that was missed.
    const std::int64_t since = frame - m_start[n];
    const std::int64_t age = static_cast<double>(since) < k_new_seconds * m_rate ? 0 : since;
    const auto express = [&](std::int64_t at, NoteExpression kind, float value) noexcept {
        post(Event::expression(at, part, key, id, kind, static_cast<double>(value)));
    };
    if (!post(Event::note_resume(frame, part, key, static_cast<double>(m_velocity[n]), id, age))) return false;
    m_place[n] = m_heard_count++;
    if (heard.pan != 0.0f) express(frame, NoteExpression::pan, heard.pan);
    if (heard.pitch != 0.0f) express(frame, NoteExpression::pitch, heard.pitch);
    if (heard.lowpass > 0.0f) express(frame, NoteExpression::lowpass, heard.lowpass);
    if (heard.send != 0.0f) express(frame, NoteExpression::send, heard.send);
    heard.settled = frame;
    if (age == 0) {
        express(frame, NoteExpression::gain, heard.gain);
        return true;
    }
    express(frame, NoteExpression::gain, 0.0f);
    const float to = heard.gain;
    heard.gain = 0.0f;
    glide(heard, to, frame + 1, static_cast<int>(std::ceil(k_fade_seconds * m_rate / voices::k_tick_frames)));
    return true;
}

bool VoiceTracker::hush(int place, std::int64_t frame) noexcept {
    const int index = m_heard[static_cast<std::size_t>(place)].index;
    const auto n = static_cast<std::size_t>(index);
    if (!post(Event::note_choke(frame, part_of(index), m_key[n], note_id(index)))) return false;
    const Heard& last = m_heard[static_cast<std::size_t>(--m_heard_count)];
    m_place[static_cast<std::size_t>(last.index)] = place;
    m_place[n] = -1; // after it: it may be the last one itself
    m_heard[static_cast<std::size_t>(place)] = last;
    return true;
}

// The gain goes to `to` in `steps` ticks: each step lies on a tick, from where the voice's own ramp takes it to the next one.
void VoiceTracker::glide(Heard& heard, float to, std::int64_t frame, int steps) noexcept {
    const auto n = static_cast<std::size_t>(heard.index);
    constexpr std::int64_t k_tick = voices::k_tick_frames;
    const std::int64_t first = (frame + k_tick - 1) / k_tick * k_tick;
    for (int i = 1; i <= steps; ++i) {
        const float share = static_cast<float>(i) / static_cast<float>(steps);
        post(Event::expression(first + (i - 1) * k_tick, part_of(heard.index), m_key[n], note_id(heard.index),
                               NoteExpression::gain, static_cast<double>(heard.gain + (to - heard.gain) * share)));
    }
    heard.settled = first + (steps - 1) * k_tick;
    heard.gain = to;
}

// Posts what has changed enough to be heard; a gain that moves far between updates goes in steps.
void VoiceTracker::adjust(Heard& heard, std::int64_t frame) noexcept {
    const int index = heard.index;
    const auto n = static_cast<std::size_t>(index);
    const auto express = [&](std::int64_t at, NoteExpression kind, float value) noexcept {
        post(Event::expression(at, part_of(index), m_key[n], note_id(index), kind, static_cast<double>(value)));
    };
    float pan = 0.0f;
    const float gain = loudness(index, &pan) / std::max(m_velocity[n], 1e-6f);
    if (frame > heard.settled && std::fabs(gain - heard.gain) > 0.005f * std::max(gain, heard.gain) + 1e-6f) {
        const float part = std::fabs(gain - heard.gain) / std::max(gain, heard.gain);
        glide(heard, gain, frame, part < 0.02f ? 1 : 2 + static_cast<int>(part * 13.0f));
    }
    if (std::fabs(pan - heard.pan) > 0.01f) express(frame, NoteExpression::pan, heard.pan = pan);
    if (m_pitch[n] != heard.pitch) express(frame, NoteExpression::pitch, heard.pitch = m_pitch[n]);
    if (m_lowpass[n] != heard.lowpass) express(frame, NoteExpression::lowpass, heard.lowpass = m_lowpass[n]);
    if (m_send[n] != heard.send) express(frame, NoteExpression::send, heard.send = m_send[n]);
}

void VoiceTracker::update(std::int64_t frame) noexcept {
    if (m_capacity == 0 || m_sender == nullptr) return;
    const std::int64_t since = m_frame < 0 ? INT64_C(1) << 30 : std::max<std::int64_t>(0, frame - m_frame);
    m_frame = frame;
    const double round = static_cast<double>(since) / (k_round_seconds * m_rate);
    const int all = m_highest;
    const int slice = round >= 1.0 ? all : std::min(all, static_cast<int>(round * all) + 64);
    int changes = static_cast<int>(std::clamp(static_cast<double>(since) / m_rate * k_changes_a_second, 1.0, 16.0));

    int begins = 64; // where there is room: a dozen events each
    // What sounds: its end, its loudness now, what has changed.
    for (int place = 0; place < m_heard_count;) {
        Heard& heard = m_heard[static_cast<std::size_t>(place)];
        const int index = heard.index;
        const auto n = static_cast<std::size_t>(index);
        if (frame >= m_end[n]) {
            const int before = m_heard_count;
            stop(static_cast<Handle>(m_generation[n]) << 32 | static_cast<Handle>(static_cast<std::uint32_t>(index)),
                 frame);
            if (m_heard_count == before) return; // the queue is full
            continue;
        }
        const float level = loudness(index, nullptr);
        if (level <= k_inaudible && changes > 0) {
            --changes;
            if (!hush(place, frame)) return;
            continue;
        }
        heard.score = level * m_weight[n];
        if (m_sector[n] != 0 && changes > 0 &&
            std::fabs(off_sector(index)) > 0.5f * k_sector_degrees + k_over_degrees && frame > heard.settled) {
            // It goes on in the next sector, at its age.
            --changes;
            const float score = heard.score;
            if (!hush(place, frame) || !hear(index, score, frame)) return;
            continue;
        }
        adjust(heard, frame);
        ++place;
    }
    // The others, a slice of them: who is above the weakest that sounds takes its place.
    const auto weakest = [&]() noexcept {
        int least = 0;
        for (int i = 1; i < m_heard_count; ++i)
            if (m_heard[static_cast<std::size_t>(i)].score < m_heard[static_cast<std::size_t>(least)].score) least = i;
        return least;
    };
    int least = m_heard_count > 0 ? weakest() : -1;
    for (int done = 0; done < slice;) {
        if (m_next >= all) m_next = 0;
        const int end = std::min(all, m_next + slice - done);
        loudnesses(m_next, end);
        done += end - m_next;
        for (int i = m_next; i < end; ++i) {
            const auto n = static_cast<std::size_t>(i);
            const bool full = m_heard_count == m_audible;
            const float bar = full ? m_heard[static_cast<std::size_t>(least)].score * k_stay : 0.0f;
            if (m_score[n] <= bar) {
                if ((m_generation[n] & 1u) != 0 && frame >= m_end[n] && m_place[n] < 0) free(i);
                continue;
            }
            if (m_place[n] >= 0 || (m_generation[n] & 1u) == 0 || frame < m_start[n]) continue;
            if (frame >= m_end[n]) {
                free(i);
                continue;
            }
            if ((full ? changes : begins) == 0) continue;
            --(full ? changes : begins);
            if ((full && !hush(least, frame)) || !hear(i, m_score[n], frame)) return;
            least = weakest();
        }
        m_next = end;
    }
}

} // namespace tutti::engine
