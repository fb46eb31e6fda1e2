// SPDX-License-Identifier: MIT
// A MIDI file being rendered block by block, with its tail.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <tutti/engine.h>
#include <tutti/midi_player.h>

namespace tutti::cli {

inline constexpr int k_song_block = 1024;           // frames a pull
inline constexpr double k_most_tail_seconds = 30.0; // after the last event
inline constexpr double k_tail_floor_db = -90.0;

struct SongOptions {
    double rate = 48000.0;
    double seconds = 0.0; // 0: the whole piece and its tail
    int only_part = -1;
    std::map<int, Patch> patches; // by channel, 0-based
    Mode mode = Mode::offline;
    std::uint64_t seed = 1;
    bool limiter = true;
};

// Renders stereo blocks until the piece has ended and its tail is below -90 dBFS.
class Song {
public:
    static Result<Song> open(Engine& engine, std::shared_ptr<const MidiFile> file, const SongOptions& options);

    // The next block, at most k_song_block frames; 0 at the end. out() holds it until the next call.
    Result<int> next();
    float* const* out() { return m_out.data(); }
    std::int64_t frames() const { return m_frame; }
    // Frames expected in all, for a progress bar (without the tail's unknown length).
    std::int64_t expected_frames() const;
    double peak() const { return m_peak; }
    int most_voices() const { return m_most_voices; }
    const std::vector<int>& parts() const { return m_player->parts(); }
    Stream& stream() { return *m_stream; }

private:
    Song() = default;

    std::shared_ptr<Stream> m_stream;
    std::unique_ptr<MidiPlayer> m_player;
    SongOptions m_options;
    std::array<std::vector<float>, 2> m_sound;
    std::array<float*, 2> m_out{};
    std::int64_t m_frame = 0;
    std::int64_t m_quiet = 0; // frames since the sound was last above the floor
    double m_peak = 0.0;
    int m_most_voices = 0;
};

// Linear to decibels; -inf for 0.
double decibels(double linear);
// "-1.0 dBFS", "-inf dBFS".
std::string level_text(double linear);

} // namespace tutti::cli
