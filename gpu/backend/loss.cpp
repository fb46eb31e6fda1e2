// SPDX-License-Identifier: MIT
// After a loss: voices begin anew on the CPU in their course, and cross-fade with what was heard last.
#include <algorithm>

#include "gpu/backend/impl.h"
#include "gpu/backend/shadow.h"

namespace tutti::gpu {

// What lives on the device comes back to its streams' rows. Mirrored state is there already; else voices begin anew in their
// course, the loudest that the CPU can hold.
void DeviceBackend::Impl::hand_over() {
    std::size_t edit_count = 0;
    candidates.clear();
    for (int n = 0; n < flights; ++n) {
        Flight& f = flight[(first_flight + n) % k_in_flight];
        for (int i = 0; i < f.count && n == 0; ++i) {
            const int place = f.place[static_cast<std::size_t>(i)];
            if (place < 0 || residents[static_cast<std::size_t>(place)].rows == nullptr) continue;
            const Resident& r = residents[static_cast<std::size_t>(place)];
            engine::Bank& bank = *f.steps[i].bank;
            if (r.mirrored) continue;
            const int envelopes = bank.type->envelope_count;
            for (int k = 0; k < bank.row_count; ++k) {
                Row& row = bank.rows[k];
                for (int lane = 0; lane < k_row_slots; ++lane) {
                    if ((row.active >> lane & 1) == 0) continue;
                    float* const at = row.fields + lane;
                    advance_lane(at, envelopes,
                                 ticks_between(known[static_cast<std::size_t>((r.first_row + k) * k_row_slots + lane)],
                                               f.steps[i].step.frame));
                    const float loud = at[voices::envelope_field(0) * k_row_slots] *
                                       at[voices::input_gain * k_row_slots] * at[voices::input_velocity * k_row_slots];
                    candidates.push_back({loud, i, k, lane});
                }
            }
            fades.push_back({bank.rows, static_cast<int>(0.005 * bank.sample_rate),
                             static_cast<int>(0.005 * bank.sample_rate), place});
        }
    }
    Flight& f = flight[first_flight];
    const auto keep = std::min(candidates.size(), static_cast<std::size_t>(config.standby_voices));
    std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(keep), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.loudness > b.loudness; });
    for (std::size_t i = keep; i < candidates.size(); ++i) {
        const Candidate& c = candidates[i];
        Row& row = f.steps[c.bank].bank->rows[c.row];
        const auto bit = static_cast<std::uint16_t>(1u << c.lane);
        for (int k = 0; k < f.steps[c.bank].bank->type->field_count; ++k)
            row.fields[k * k_row_slots + c.lane] = 0.0f;
        row.active &= static_cast<std::uint16_t>(~bit);
        row.muted |= bit; // deaf until its next start
    }
    stats.voices_shed += static_cast<std::int64_t>(candidates.size() - keep);
    // A start at the step's first frame for each that is kept, before the edits that it has anyway.
    for (int i = 0; i < f.count; ++i) {
        engine::Bank& bank = *f.steps[i].bank;
        const std::size_t first = edit_count;
        bool any = false;
        for (std::size_t k = 0; k < keep; ++k)
            any = any || candidates[k].bank == i;
        if (!any) continue;
        for (int k = 0; k < bank.row_count; ++k) {
            Row& row = bank.rows[k];
            std::uint32_t next = row.first_edit, last = engine::k_no_edit, head = engine::k_no_edit;
            const auto append = [&](const engine::Edit& edit) {
                const auto at = static_cast<std::uint32_t>(edit_count - first);
                if (edit_count == rebuilt.size()) return;
                rebuilt[edit_count] = edit;
                rebuilt[edit_count++].next = engine::k_no_edit;
                if (last == engine::k_no_edit)
                    head = at;
                else
                    rebuilt[first + last].next = at;
                last = at;
            };
            for (std::size_t m = 0; m < keep; ++m) {
                const Candidate& c = candidates[m];
                if (c.bank != i || c.row != k) continue;
                float* const values = rebuilt_values.data() + m * k_largest_start;
                for (int v = 0; v < voices::state_field(bank.type->envelope_count); ++v)
                    values[v] = row.fields[v * k_row_slots + c.lane];
                engine::Edit start;
                start.lane = static_cast<std::uint8_t>(c.lane);
                start.values = values;
                append(start);
            }
            for (; next != engine::k_no_edit; next = bank.edits[next].next)
                append(bank.edits[next]);
            borrowed.push_back({&row, row.first_edit});
            row.first_edit = head;
        }
        bank.edits = rebuilt.data() + first;
    }
}

void DeviceBackend::Impl::fade_in(BankStep* steps, int count) {
    for (Fade& fade : fades)
        for (int i = 0; i < count; ++i) {
            engine::Bank& bank = *steps[i].bank;
            if (bank.rows != fade.rows || fade.frames_left == 0) continue;
            const auto offset = static_cast<int>(steps[i].step.frame % k_block_frames);
            for (int n = 0; n < steps[i].step.frames && fade.frames_left > 0; ++n, --fade.frames_left) {
                const int past = fade.length - fade.frames_left;
                const float in = static_cast<float>(past) / static_cast<float>(fade.length);
                for (int c = 0; c < std::min(bank.channels, 2); ++c) {
                    // The old sound goes on as its own last frames run backwards: no step in value.
                    const float* const last =
                        last_bus.data() +
                        (static_cast<std::size_t>(fade.place) * 2 + static_cast<std::size_t>(c)) * k_block_frames;
                    const float old = past < k_block_frames ? last[k_block_frames - 1 - past] : 0.0f;
                    const float reach = static_cast<float>(std::max(0, k_block_frames - past)) / k_block_frames;
                    float& x = bank.bus[c][offset + n];
                    x = x * in + old * (1.0f - in) * reach;
                }
            }
        }
}

void DeviceBackend::Impl::on_cpu(BankStep* steps, int count, int threads) {
    standby->render(steps, count, threads);
    for (const Borrowed& each : borrowed)
        each.row->first_edit = each.first_edit;
    borrowed.clear();
    fade_in(steps, count);
    ++stats.cpu_steps;
}

} // namespace tutti::gpu
