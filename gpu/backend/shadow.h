// SPDX-License-Identifier: MIT
// A voice's inputs and envelopes as the host knows them without asking the device: the last edit, and its course since.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "engine/backend.h"

namespace tutti::gpu {

// Ticks that have come in (from, to].
inline std::int64_t ticks_between(std::int64_t from, std::int64_t to) noexcept {
    return (to >> 4) - (from >> 4);
}

// Lane `lane` of a row moves on by `ticks`: v = v * mul + add at each, in closed form.
inline void advance_lane(float* lane, int envelopes, std::int64_t ticks) noexcept {
    using namespace voices;
    if (ticks <= 0) return;
    const auto n = static_cast<double>(ticks);
    lane[input_pitch * k_row_slots] +=
        static_cast<float>(n * static_cast<double>(lane[input_pitch_step * k_row_slots]));
    for (int e = 0; e < envelopes; ++e) {
        float* const value = lane + envelope_field(e) * k_row_slots;
        const double mul = static_cast<double>(value[k_row_slots]), add = static_cast<double>(value[2 * k_row_slots]);
        const double grown = std::pow(mul, n);
        const double sum = mul == 1.0 ? n : (grown - 1.0) / (mul - 1.0);
        *value = static_cast<float>(static_cast<double>(*value) * grown + add * sum);
    }
}

// The step's edits of a row, as the device applies them; `known` is the frame of each lane's last edit.
inline void follow_edits(const engine::Bank& bank, engine::Row& row, std::int64_t frame, std::int64_t* known) noexcept {
    using namespace voices;
    const int envelopes = bank.type->envelope_count;
    for (std::uint32_t i = row.first_edit; i != engine::k_no_edit; i = bank.edits[i].next) {
        const engine::Edit& edit = bank.edits[i];
        const auto bit = static_cast<std::uint16_t>(1u << edit.lane);
        float* const lane = row.fields + edit.lane;
        const std::int64_t at = frame + edit.offset;
        if (edit.kind == engine::Edit::stop) {
            row.active &= static_cast<std::uint16_t>(~bit);
            continue;
        }
        if (edit.kind == engine::Edit::start) {
            row.active |= bit;
            row.muted &= static_cast<std::uint16_t>(~bit);
            for (int f = 0; f < state_field(envelopes); ++f)
                lane[f * k_row_slots] = edit.values[f];
        } else {
            advance_lane(lane, envelopes, ticks_between(known[edit.lane], at));
            for (int f = 0; f < edit.count && edit.first + f < state_field(envelopes); ++f)
                lane[(edit.first + f) * k_row_slots] = edit.values[f];
        }
        known[edit.lane] = at;
        const float open = lane[input_lowpass * k_row_slots];
        const bool glides = lane[input_pitch_step * k_row_slots] != 0.0f, muffles = open > 0.0f && open < 1.0f;
        row.gliding = static_cast<std::uint16_t>(glides ? row.gliding | bit : row.gliding & ~bit);
        row.muffled = static_cast<std::uint16_t>(muffles ? row.muffled | bit : row.muffled & ~bit);
    }
}

} // namespace tutti::gpu
