// SPDX-License-Identifier: MIT
// Migration: which bank lives on the device, and how its voices move up with their state.
#include <algorithm>
#include <bit>
#include <cstring>

#include "gpu/backend/impl.h"

namespace tutti::gpu {

int DeviceBackend::Impl::place_of(const engine::Bank& bank) const {
    for (std::size_t i = 0; i < residents.size(); ++i)
        if (residents[i].rows == bank.rows && residents[i].type == bank.type) return static_cast<int>(i);
    return -1;
}

int DeviceBackend::Impl::find(const engine::Bank& bank) {
    for (std::size_t i = 0; i < residents.size(); ++i) {
        Resident& r = residents[i];
        if (r.rows != bank.rows) continue;
        if (r.type == bank.type && r.row_count == bank.row_count) {
            r.seen = step;
            return static_cast<int>(i);
        }
        // Another instance at the same address.
        std::fill_n(row_taken.begin() + r.first_row, r.row_count, std::uint8_t{0});
        r.rows = nullptr;
    }
    return adopt(bank);
}

// A place for the bank, whose voices move up with their state; -1: it stays on the CPU.
int DeviceBackend::Impl::adopt(const engine::Bank& bank) {
    int place = -1;
    for (std::size_t i = 0; i < residents.size(); ++i) {
        Resident& r = residents[i];
        // An instance that has not been asked for in so long has no voices: what stands there is nobody's.
        if (r.rows != nullptr && r.seen + 64 < step && flights == 0) {
            std::fill_n(row_taken.begin() + r.first_row, r.row_count, std::uint8_t{0});
            r.rows = nullptr;
        }
        if (r.rows == nullptr && place < 0) place = static_cast<int>(i);
    }
    // Types that the program added have no device program.
    if (place < 0 || bank.channels > 2 || bank.type->field_count > field_limit ||
        bank.type->kernel >= engine::k_kernel_count || few)
        return -1;
    int run = 0, at = 0;
    for (; at < config.rows && run < bank.row_count; ++at)
        run = row_taken[static_cast<std::size_t>(at)] != 0 ? 0 : run + 1;
    if (run < bank.row_count) return -1;
    Resident& r = residents[static_cast<std::size_t>(place)];
    r = {bank.rows, bank.type, at - bank.row_count, bank.row_count, step, 0, false, true};
    if (!move_up(bank, r)) {
        r.rows = nullptr;
        return -1;
    }
    std::fill_n(row_taken.begin() + r.first_row, r.row_count, std::uint8_t{1});
    return place;
}

bool DeviceBackend::Impl::move_up(const engine::Bank& bank, Resident& r) {
    const std::size_t row_floats = static_cast<std::size_t>(bank.type->field_count) * k_row_slots;
    int voices_up = 0;
    std::size_t floats = 0;
    for (int i = 0; i < bank.row_count; ++i) {
        voices_up += std::popcount(bank.rows[i].active);
        floats += bank.rows[i].active != 0 ? row_floats : 0;
    }
    const std::size_t room =
        std::max<std::size_t>(mirror_floats, 64 * static_cast<std::size_t>(field_limit) * k_row_slots);
    if (move_used + floats > room || move_row_used + bank.row_count > config.rows) return false;
    float* const to =
        fields + static_cast<std::size_t>(r.first_row) * static_cast<std::size_t>(field_limit) * k_row_slots;
    for (int i = 0; i < bank.row_count; ++i) {
        const Row& row = bank.rows[i];
        DeviceRow& up = move_rows[move_row_used + i];
        up = {engine::k_no_edit, row.version, row.active, row.muted, row.unsettled, row.gliding, row.muffled, 0};
        if (row.active == 0) continue;
        float* const from = move_host + move_used;
        std::memcpy(from, row.fields, row_floats * sizeof(float));
        move_used += row_floats;
        if (!fine(device->upload(to + static_cast<std::size_t>(i) * row_floats, from, row_floats * sizeof(float)),
                  "upload"))
            return false;
    }
    const auto count = static_cast<std::size_t>(bank.row_count);
    if (!fine(device->upload(rows + r.first_row, move_rows + move_row_used, count * sizeof(DeviceRow)), "upload"))
        return false;
    move_row_used += bank.row_count;
    stats.voices_moved += voices_up;
    return true;
}

} // namespace tutti::gpu
