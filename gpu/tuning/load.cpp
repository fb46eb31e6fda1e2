// SPDX-License-Identifier: MIT
#include "gpu/tuning/load.h"

#include <algorithm>
#include <cstring>

#include "voices/registry.h"

namespace tutti::gpu {

using namespace voices;

namespace {
constexpr int k_values = state_field(k_max_envelopes);
constexpr std::size_t k_starts = 16384; // of a block
} // namespace

VoiceLoad::VoiceLoad(int voices, int channels) : m_voices(voices) {
    const VoiceType& type = *find_voice_type("subtractive");
    const int rows = (voices + k_row_slots - 1) / k_row_slots;
    std::vector<float> user;
    m_table.assign(static_cast<std::size_t>(part_input_count + type.parameter_count), 0.0f);
    for (int p = 0; p < type.parameter_count; ++p) {
        user.push_back(type.parameters[p].fallback);
        m_table[static_cast<std::size_t>(part_input_count + p)] = kernel_value(type.parameters[p], user.back());
    }
    const std::size_t row_floats = static_cast<std::size_t>(type.field_count) * k_row_slots;
    m_fields.assign(row_floats * static_cast<std::size_t>(rows) + k_row_slots, 0.0f);
    // A row begins on a line of memory.
    float* first = m_fields.data();
    while (reinterpret_cast<std::uintptr_t>(first) % 64 != 0)
        ++first;
    m_rows.resize(static_cast<std::size_t>(rows));
    for (std::size_t r = 0; r < m_rows.size(); ++r)
        m_rows[r].fields = first + row_floats * r;
    const std::size_t most = std::min(k_starts, static_cast<std::size_t>(voices));
    m_edits.resize(most);
    m_values.resize(most * k_values);
    m_left.assign(k_block_frames, 0.0f);
    m_right = m_left;
    m_change = {0, 1, m_table.data()};
    m_bank.type = &type;
    m_bank.shape = type.shape(user.data(), nullptr, 0);
    m_bank.tables = &m_change;
    m_bank.table_count = 1;
    m_bank.rows = m_rows.data();
    m_bank.row_count = rows;
    m_bank.edits = m_edits.data();
    m_bank.channels = channels;
    m_bank.bus[0] = m_left.data();
    m_bank.bus[1] = m_right.data();
}

void VoiceLoad::start_some() {
    for (engine::Row& row : m_rows)
        row.first_edit = engine::k_no_edit;
    for (std::uint32_t e = 0; e < m_edits.size() && m_started < m_voices; ++e, ++m_started) {
        float* const v = m_values.data() + e * k_values;
        std::fill_n(v, k_values, 0.0f);
        v[input_pitch] = 33.0f + static_cast<float>(m_started % 60);
        v[input_gain] = v[input_velocity] = v[input_lowpass] = 1.0f;
        v[input_unison_gain] = 0.5f / static_cast<float>(m_voices);
        const auto seed = static_cast<std::uint32_t>(m_started) * 0x9e3779b9u;
        std::memcpy(v + input_seed, &seed, sizeof seed);
        for (int n = 0; n < m_bank.type->envelope_count; ++n)
            v[envelope_field(n)] = v[envelope_field(n) + 1] = 1.0f;
        engine::Row& row = m_rows[static_cast<std::size_t>(m_started / k_row_slots)];
        m_edits[e] = {
            row.first_edit, 0, static_cast<std::uint8_t>(m_started % k_row_slots), engine::Edit::start, 0, 0, v};
        row.first_edit = e;
    }
}

void VoiceLoad::step(engine::Backend& backend, int threads) noexcept {
    engine::BankStep one{&m_bank, {m_frame, k_block_frames}};
    backend.render(&one, 1, threads);
    m_frame += k_block_frames;
}

void VoiceLoad::begin(engine::Backend& backend, int threads) {
    while (m_started < m_voices) {
        start_some();
        step(backend, threads);
    }
    for (engine::Row& row : m_rows)
        row.first_edit = engine::k_no_edit;
    for (int i = 0; i < 20; ++i)
        step(backend, threads);
}

} // namespace tutti::gpu
