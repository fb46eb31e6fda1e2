// SPDX-License-Identifier: MIT
#include <models/whisper/silence.h>

#include <cmath>

namespace tutti::models {

void SilenceMap::push(std::span<const float> samples) {
    for (float x : samples) {
        m_sum += static_cast<double>(x) * x;
        ++m_samples;
        if (++m_in_block == k_silence_block) end_block();
    }
}

void SilenceMap::end_block() {
    const bool quiet = std::sqrt(m_sum / static_cast<double>(m_in_block)) < k_silence_rms;
    const std::int64_t begin = m_samples - m_in_block;
    if (quiet && m_quiet_from < 0) m_quiet_from = begin;
    if (!quiet) end_quiet(begin);
    m_sum = 0.0;
    m_in_block = 0;
}

void SilenceMap::end_quiet(std::int64_t at) {
    if (m_quiet_from >= 0) {
        // The edges of the recording need no margin.
        const std::int64_t begin = m_quiet_from == 0 ? 0 : m_quiet_from + k_silence_margin;
        const std::int64_t end = at == m_samples ? at : at - k_silence_margin;
        if (at - m_quiet_from >= k_silence_samples && end > begin) m_silences.push_back({begin, end});
    }
    m_quiet_from = -1;
}

void SilenceMap::finish() {
    if (m_in_block > 0) end_block();
    if (m_quiet_from >= 0) end_quiet(m_samples);
}

bool SilenceMap::is_silent(std::int64_t begin, std::int64_t end) const {
    for (const Span& one : m_silences)
        if (one.begin <= begin && end <= one.end) return true;
    return begin >= end;
}

std::int64_t SilenceMap::next_sound(std::int64_t at) const {
    for (const Span& one : m_silences)
        if (one.begin <= at && at < one.end) return one.end;
    return at;
}

std::vector<double> SilenceMap::sounding_seconds() const {
    std::vector<double> points;
    std::int64_t from = 0;
    const auto add = [&](std::int64_t begin, std::int64_t end) {
        if (end <= begin) return;
        points.push_back(static_cast<double>(begin) / 16000.0);
        points.push_back(static_cast<double>(end) / 16000.0);
    };
    for (const Span& one : m_silences) {
        add(from, one.begin);
        from = one.end;
    }
    add(from, m_samples);
    return points;
}

} // namespace tutti::models
