// SPDX-License-Identifier: MIT
// A bank of sounding subtractive voices that no stream owns: what a backend is measured with.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/backend.h"

namespace tutti::gpu {

class VoiceLoad {
public:
    // `voices` saws through the low-pass, all from the first blocks on, mono where `channels` is 1. [control]
    explicit VoiceLoad(int voices, int channels = 2);
    // One render block; the first few start the voices. [device]
    void step(engine::Backend& backend, int threads) noexcept;
    // Blocks until all have begun, and some more that settle. [control]
    void begin(engine::Backend& backend, int threads);
    const std::vector<float>& left() const noexcept { return m_left; } // the block's [any]
    int rows() const noexcept { return m_bank.row_count; }             // [any]

private:
    void start_some();

    int m_voices = 0, m_started = 0;
    std::int64_t m_frame = 0;
    std::vector<float> m_table, m_fields, m_values, m_left, m_right;
    std::vector<engine::Row> m_rows;
    std::vector<engine::Edit> m_edits;
    engine::TableChange m_change;
    engine::Bank m_bank;
};

} // namespace tutti::gpu
