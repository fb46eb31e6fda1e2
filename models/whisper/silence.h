// SPDX-License-Identifier: MIT
// Where a recording is silent: long stretches far below anything sung or said, so that gating by it never cuts a voice.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tutti::models {

inline constexpr float k_silence_rms = 0.001f;           // -60 dBFS, over 20 ms
inline constexpr std::int64_t k_silence_samples = 16000; // shorter pauses belong to the song
inline constexpr std::int64_t k_silence_margin = 4800;   // kept on both sides: breath and decay
inline constexpr std::int64_t k_silence_block = 320;

// Samples at 16 kHz as they come; blocks are counted from the first. [worker]
class SilenceMap {
public:
    void push(std::span<const float> samples);
    void finish();
    // No sample of [begin, end) is worth hearing. [worker]
    bool is_silent(std::int64_t begin, std::int64_t end) const;
    // The first sample at or behind `at` that is worth hearing; the end when there is none. [worker]
    std::int64_t next_sound(std::int64_t at) const;
    // begin, end, begin, end ... of what is worth hearing, in seconds. [worker]
    std::vector<double> sounding_seconds() const;

private:
    struct Span {
        std::int64_t begin, end;
    };
    void end_block();
    void end_quiet(std::int64_t at);
    std::vector<Span> m_silences;
    double m_sum = 0.0;
    std::int64_t m_in_block = 0;
    std::int64_t m_samples = 0;
    std::int64_t m_quiet_from = 0; // -1: the last block was loud
};

} // namespace tutti::models
