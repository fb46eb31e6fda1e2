// SPDX-License-Identifier: MIT
#include "cli/song.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <fmt/format.h>

#include <tutti/trace.h>

namespace tutti::cli {

double decibels(double linear) {
    return linear > 0.0 ? 20.0 * std::log10(linear) : -std::numeric_limits<double>::infinity();
}

std::string level_text(double linear) {
    return linear > 0.0 ? fmt::format("{:.1f} dBFS", decibels(linear)) : std::string("-inf dBFS");
}

namespace {

// The MIDI ports a file uses set how many parts its stream needs.
int parts_needed(const MidiFile& file) {
    int ports = 1;
    for (const MidiFileEvent& event : file.events())
        if (event.is_meta(MidiMeta::port) && !file.payload(event).empty())
            ports = std::max(ports, std::to_integer<int>(file.payload(event)[0]) + 1);
    return 16 * std::min(ports, 16);
}

} // namespace

Result<Song> Song::open(Engine& engine, std::shared_ptr<const MidiFile> file, const SongOptions& options) {
    Song song;
    song.m_options = options;
    StreamConfig config;
    config.sample_rate = options.rate;
    config.mode = options.mode;
    config.parts = parts_needed(*file);
    config.voices = 64 * config.parts;
    config.events = 16384;
    config.seed = options.seed;
    config.limiter = options.limiter;
    auto stream = engine.open(config);
    if (!stream.ok()) return stream.status();
    song.m_stream = std::move(stream).value();
    MidiPlayerOptions player;
    player.patches = options.patches;
    player.only_part = options.only_part;
    auto opened = MidiPlayer::create(std::move(file), song.m_stream, std::move(player));
    if (!opened.ok()) return opened.status();
    song.m_player = std::make_unique<MidiPlayer>(std::move(opened).value());
    for (std::size_t channel = 0; channel < 2; ++channel) {
        song.m_sound[channel].resize(k_song_block);
        song.m_out[channel] = song.m_sound[channel].data();
    }
    return song;
}

std::int64_t Song::expected_frames() const {
    if (m_options.seconds > 0.0) return static_cast<std::int64_t>(m_options.seconds * m_options.rate);
    return m_player->end_frame();
}

Result<int> Song::next() {
    int frames = k_song_block;
    if (m_options.seconds > 0.0) {
        const auto end = static_cast<std::int64_t>(std::llround(m_options.seconds * m_options.rate));
        frames = static_cast<int>(std::min<std::int64_t>(frames, end - m_frame));
        if (frames <= 0) return 0;
    } else if (m_frame >= m_player->end_frame()) {
        const auto longest = static_cast<std::int64_t>(k_most_tail_seconds * m_options.rate);
        const bool silent = m_stream->stats().voices == 0 && m_quiet > static_cast<std::int64_t>(m_options.rate / 4);
        if (silent || m_frame >= m_player->end_frame() + longest) return 0;
    }
    {
        const trace::Span span("events of the song");
        if (Status status = m_player->post_until(m_frame + frames); !status.ok()) return status;
    }
    m_stream->pull(m_out.data(), frames);
    m_frame += frames;
    float peak = 0.0f;
    for (const auto& channel : m_sound)
        for (int i = 0; i < frames; ++i)
            peak = std::max(peak, std::fabs(channel[static_cast<std::size_t>(i)]));
    m_peak = std::max(m_peak, static_cast<double>(peak));
    m_quiet = decibels(peak) < k_tail_floor_db ? m_quiet + frames : 0;
    m_most_voices = std::max(m_most_voices, m_stream->stats().voices);
    return frames;
}

} // namespace tutti::cli
