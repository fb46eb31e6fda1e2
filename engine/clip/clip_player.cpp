// SPDX-License-Identifier: MIT
#include "engine/clip/clip_player.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <string>
#include <thread>

namespace tutti::engine {

namespace {
constexpr double k_pi = 3.141592653589793;
constexpr int k_longest_wait = 10; // seconds without a frame: the writer is taken for dead

// 0..1 over `length` frames, raised cosine: no edge in value or slope.
float rise(std::int64_t at, std::int64_t length) noexcept {
    if (at >= length) return 1.0f;
    return at <= 0
               ? 0.0f
               : static_cast<float>(0.5 - 0.5 * std::cos(k_pi * static_cast<double>(at) / static_cast<double>(length)));
}
} // namespace

Status ClipPlayer::check(const ClipConfig& config, std::int64_t length) {
    const auto outside = [](const char* name, const std::string& range) {
        return Status(Code::out_of_range, std::string("clip ") + name + " is outside its range",
                      "the clip was not played", "choose " + range);
    };
    if (!(config.gain_db >= -200.0 && config.gain_db <= 40.0)) return outside("gain_db", "-200..40 dB");
    if (!(config.pitch >= -48.0 && config.pitch <= 48.0)) return outside("pitch", "-48..48 semitones");
    if (!(config.fade_seconds >= 0.0 && config.fade_seconds <= 10.0)) return outside("fade_seconds", "0..10 s");
    if (length < 0) return {};
    const std::int64_t end = config.end < 0 ? length : config.end;
    if (end > length) return outside("end", "-1 or 0.." + std::to_string(length));
    if (config.begin < 0 || config.begin > end) return outside("begin", "0.." + std::to_string(end));
    if (config.loop && (config.loop_begin < 0 || config.loop_begin >= end))
        return outside("loop_begin", "0.." + std::to_string(end - 1));
    return {};
}

static SoundView view_of(const Sound& sound) noexcept {
    SoundView view;
    view.channels = std::min(static_cast<int>(sound.channels.size()), SoundView::k_most_channels);
    for (int c = 0; c < view.channels; ++c)
        view.channel[c] = sound.channels[static_cast<std::size_t>(c)].data();
    view.frames = static_cast<std::int64_t>(sound.channels[0].size());
    view.sample_rate = sound.sample_rate;
    return view;
}

ClipPlayer::ClipPlayer(std::shared_ptr<const Sound> sound, const ClipConfig& config, double sample_rate)
    : ClipPlayer(view_of(*sound), sound, config, sample_rate) {}

ClipPlayer::ClipPlayer(const SoundView& sound, std::shared_ptr<const void> keep, const ClipConfig& config,
                       double sample_rate)
    : m_sound(sound), m_keep(std::move(keep)), m_config(config), m_channels(sound.channels) {
    const std::int64_t length = sound.frames;
    m_end = config.end < 0 ? length : config.end;
    m_index = config.begin;
    m_gain = static_cast<float>(std::pow(10.0, config.gain_db / 20.0));
    m_step = static_cast<std::uint64_t>(
        std::ldexp(m_sound.sample_rate / sample_rate * std::exp2(config.pitch / 12.0), 32) + 0.5);
    m_fade = static_cast<std::int64_t>(config.fade_seconds * sample_rate);
    m_back = m_gap_fade;
}

ClipPlayer::ClipPlayer(int channels, double rate, int capacity, const ClipConfig& config, double sample_rate)
    : m_config(config), m_channels(channels) {
    m_ring.prepare(channels, capacity);
    m_gain = static_cast<float>(std::pow(10.0, config.gain_db / 20.0));
    m_step = static_cast<std::uint64_t>(std::ldexp(rate / sample_rate * std::exp2(config.pitch / 12.0), 32) + 0.5);
    m_fade = static_cast<std::int64_t>(config.fade_seconds * sample_rate);
    m_gap_fade = std::max(8, static_cast<int>(0.002 * sample_rate));
    m_back = m_gap_fade;
    m_config.loop = false;
}

int ClipPlayer::write(const float* const* in, int frames) noexcept {
    return m_ring.write(in, frames);
}

float ClipPlayer::sample(int channel, std::int64_t index) const noexcept {
    if (is_written()) {
        return index < 0 ? 0.0f : m_ring.sample(channel, index);
    }
    if (m_config.loop && index >= m_end) index = m_config.loop_begin + (index - m_end) % (m_end - m_config.loop_begin);
    if (index < m_config.begin && !m_config.loop) return 0.0f;
    if (index < 0 || index >= m_end) return 0.0f;
    return m_sound.channel[channel][index];
}

// Four points, third order: Catmull-Rom (Hermite with central differences). On whole frames the sample itself.
float ClipPlayer::interpolate(int channel) const noexcept {
    const float x0 = sample(channel, m_index);
    if (m_fraction == 0) return x0;
    const float before = sample(channel, m_index - 1), x1 = sample(channel, m_index + 1),
                after = sample(channel, m_index + 2);
    const float t = static_cast<float>(m_fraction) * (1.0f / 4294967296.0f);
    const float c1 = 0.5f * (x1 - before);
    const float c2 = before - 2.5f * x0 + 2.0f * x1 - 0.5f * after;
    const float c3 = 0.5f * (after - before) + 1.5f * (x0 - x1);
    return ((c3 * t + c2) * t + c1) * t + x0;
}

void ClipPlayer::advance() noexcept {
    const std::uint64_t sum = m_fraction + (m_step & 0xffffffffu);
    m_fraction = static_cast<std::uint32_t>(sum);
    m_index += static_cast<std::int64_t>(m_step >> 32) + static_cast<std::int64_t>(sum >> 32);
    if (m_config.loop && m_index >= m_end)
        m_index = m_config.loop_begin + (m_index - m_end) % (m_end - m_config.loop_begin);
}

void ClipPlayer::stop(std::int64_t frame) noexcept {
    if (m_stop < 0) m_stop = std::max(frame, m_start);
}

void ClipPlayer::wait(std::int64_t frame, int frames) const noexcept {
    const std::int64_t end = m_stop >= 0 ? std::min(frame + frames, m_stop + m_fade) : frame + frames;
    const std::int64_t count = end - std::max(frame, m_start);
    if (!is_written() || m_ended || count <= 0) return;
    const auto whole = static_cast<std::int64_t>((m_step >> 32) * static_cast<std::uint64_t>(count));
    const auto part = static_cast<std::int64_t>((m_step & 0xffffffffu) * static_cast<std::uint64_t>(count) >> 32);
    // Two frames behind the position and one at most for the fraction; never more than the ring can hold.
    const std::int64_t wanted = std::min(m_index + whole + part + 4, m_ring.released() + m_ring.capacity());
    auto before = m_ring.look();
    for (auto since = std::chrono::steady_clock::now(); before.written < wanted && !before.finished;) {
        std::this_thread::sleep_for(std::chrono::microseconds(100));
        const auto look = m_ring.look();
        const auto now = std::chrono::steady_clock::now();
        if (look.written > before.written) since = now;
        if (now - since > std::chrono::seconds(k_longest_wait)) return; // the gap is counted
        before = look;
    }
}

bool ClipPlayer::add_to(float* const* bus, int channels, std::int64_t frame, int frames, std::int64_t& dry) noexcept {
    bool sounded = false;
    const auto [finished, written] = m_ring.look();
    for (int i = 0; i < frames && !m_ended; ++i) {
        const std::int64_t now = frame + i;
        if (now < m_start) continue;
        if (m_stop >= 0 && now >= m_stop + m_fade) {
            m_ended = true;
            break;
        }
        const bool runs_out = is_written() && (finished ? m_index >= written : m_index + 2 >= written);
        if (is_written() ? finished && runs_out : !m_config.loop && m_index >= m_end) {
            m_ended = true;
            break;
        }
        // Dry: the last sample is let down over 2 ms; it goes on once a tenth of the ring, or 2 ms, has come.
        if (runs_out && !m_waiting) {
            m_waiting = true;
            m_gap = m_back = 0;
            std::copy_n(m_last, m_channels, m_hold);
            if (m_index > 0 || written > 0 || now > m_start) ++dry;
        } else if (m_waiting &&
                   (finished || written - m_index > std::min<std::int64_t>(m_gap_fade + 4, m_ring.capacity() / 2))) {
            m_waiting = false;
        }
        float gain = m_gain * rise(now - m_start + (m_fade == 0 ? 1 : 0), m_fade);
        if (m_stop >= 0) gain *= 1.0f - rise(now - m_stop, m_fade);
        const bool gapped = is_written() && (m_waiting || m_gap < m_gap_fade || m_back < m_gap_fade);
        const float down = gapped ? 1.0f - rise(m_gap + 1, m_gap_fade) : 0.0f;
        const float up = gapped ? rise(m_back + 1, m_gap_fade) : 1.0f;
        float values[k_most_channels];
        for (int c = 0; c < m_channels; ++c) {
            float x = m_waiting ? 0.0f : interpolate(c);
            if (gapped) x = x * up + m_hold[c] * down;
            m_last[c] = x;
            values[c] = x * gain;
        }
        for (int c = 0; c < channels; ++c)
            if (m_channels == 1 || c < m_channels) bus[c][i] += values[m_channels == 1 ? 0 : c];
        sounded = true;
        if (m_gap < m_gap_fade) ++m_gap;
        if (!m_waiting) {
            if (m_back < m_gap_fade) ++m_back;
            advance();
        }
    }
    // These frames have been read. The one before the position stays (interpolation).
    if (is_written()) m_ring.release_before(std::clamp<std::int64_t>(m_index - 1, 0, written));
    return sounded;
}

} // namespace tutti::engine
