// SPDX-License-Identifier: MIT
// What runs on a device in a step: changes are applied, chunks of voices rendered, chunks summed, part buses published.
//
// One source for every device: the bodies below are written by place and phase; between phases all threads of a block meet.
// A place is one voice (row, lane) of a chunk of 8 x 16, with the recurrences of voices/ over float and the code that the
// scalar reference itself runs (engine/cpu/chunk.h): the same bits. No atomics in a sum, so the same bits every run.
#pragma once

#include "engine/cpu/chunk.h"

namespace tutti {
namespace gpu {

using engine::Bank;
using engine::Edit;
using engine::Step;
using engine::TableChange;

constexpr int k_device_changes = 9; // table versions in a step
constexpr int k_threads = voices::k_chunk_rows * voices::k_row_slots;
constexpr int k_row_stride = voices::k_block_frames * voices::k_row_slots + voices::k_row_slots; // no bank conflicts

struct DeviceRow {
    unsigned first_edit;
    unsigned version;
    unsigned short active, muted, unsettled, gliding, muffled, spare;
};
struct ChunkEntry {
    unsigned bank;
    unsigned chunk;
};
struct RowHead {
    unsigned row; // of all
    unsigned edit;
};
struct TableDelta {
    unsigned short change; // version of the step from which on
    unsigned short entry;
    float value;
};
// A bank as it is in this step; every pointer is the device's.
struct BankEntry {
    Bank bank;
    Step step;
    TableChange changes[k_device_changes];
    float TUTTI_DEVICE* tables; // [k_device_changes + 1][table_size]; the last one is what holds when the step ends
    float TUTTI_DEVICE* fields; // [row][field][16]
    DeviceRow TUTTI_DEVICE* rows;
    unsigned TUTTI_DEVICE* muted; // voices found not finite, counted up
    unsigned table_size;
    unsigned first_delta, delta_count;
    unsigned chunks, first_partial;
    unsigned field_count;
    float rate, increment_at_a, tick_seconds; // of the bank's rate, for devices without double
};
struct Header {
    unsigned sequence;
    unsigned bank_count, head_count;
    unsigned chunk_first[engine::k_kernel_count], chunk_count[engine::k_kernel_count];
    BankEntry TUTTI_DEVICE* banks;
    ChunkEntry TUTTI_DEVICE* chunks;
    RowHead TUTTI_DEVICE* heads;
    TableDelta TUTTI_DEVICE* deltas;
    DeviceRow TUTTI_DEVICE* rows;
    float TUTTI_DEVICE* partials; // [chunk][2][64]
    float TUTTI_DEVICE* out;      // [bank][2][64]: memory that the host sees
    unsigned TUTTI_DEVICE* done;  // takes `sequence` when all of `out` is there
};
// Both sides lay them out alike, whatever each one's compiler is.
static_assert(sizeof(engine::Edit) == 24 && sizeof(Bank) == 224 && sizeof(DeviceRow) == 20 && sizeof(TableDelta) == 8,
              "host and device agree");
struct Shared {
    float sound[2][voices::k_chunk_rows * k_row_stride];
    unsigned char busy[k_threads], flags[k_threads], muted[k_threads];
};

inline namespace TUTTI_ISA_SPACE {

// One block a bank; one more, with `bank` past the last, for the rows' edits.
inline void apply_thread(const Header TUTTI_DEVICE& h, unsigned bank, unsigned place, unsigned threads) noexcept {
    if (bank == h.bank_count) {
        for (unsigned i = place; i < h.head_count; i += threads)
            h.rows[h.heads[i].row].first_edit = h.heads[i].edit;
        return;
    }
    if (bank > h.bank_count) return;
    const BankEntry TUTTI_DEVICE& b = h.banks[bank];
    float TUTTI_DEVICE* const current = b.tables + k_device_changes * b.table_size;
    for (unsigned e = place; e < b.table_size; e += threads) {
        float value = current[e];
        unsigned d = b.first_delta;
        for (int c = 0; c < b.bank.table_count; ++c) {
            for (; d < b.first_delta + b.delta_count && h.deltas[d].change == c; ++d)
                if (h.deltas[d].entry == e) value = h.deltas[d].value;
            b.tables[static_cast<unsigned>(c) * b.table_size + e] = value;
        }
        current[e] = value;
    }
}

template <template <class> class Type>
inline void render_voice(const BankEntry TUTTI_DEVICE& b, unsigned chunk, Shared TUTTI_SHARED& shared,
                         int place) noexcept {
    const int r = place / voices::k_row_slots, lane = place % voices::k_row_slots;
    const int index = static_cast<int>(chunk) * voices::k_chunk_rows + r;
    shared.busy[place] = shared.flags[place] = shared.muted[place] = 0;
    if (index >= b.bank.row_count) return;
    const DeviceRow TUTTI_DEVICE& from = b.rows[index];
    const auto bit = static_cast<unsigned short>(1u << lane);
    engine::Row row;
    row.fields = b.fields + static_cast<unsigned>(index) * b.field_count * voices::k_row_slots;
    row.first_edit = from.first_edit;
    row.active = from.active & bit;
    row.muted = from.muted & bit;
    row.unsettled = from.unsettled & bit;
    row.gliding = from.gliding & bit;
    row.muffled = from.muffled & bit;
    const bool row_busy = from.active != 0 || from.first_edit != engine::k_no_edit;
    bool changed = row_busy && from.version != b.bank.tables[0].version;
    bool mine = row.active != 0;
    for (unsigned e = from.first_edit; e != engine::k_no_edit && !mine; e = b.bank.edits[e].next)
        mine = b.bank.edits[e].lane == lane;
    if (mine) {
#ifdef TUTTI_NO_DOUBLE // Metal, where what a group refers to is the thread's own
        const Bank bank = own_copy(b.bank);
        const Step step = own_copy(b.step);
#else
        const Bank& bank = b.bank;
        const Step& step = b.step;
#endif
        voices::Context context = engine::make_context(bank, step);
#ifdef TUTTI_NO_DOUBLE
        context.rate = b.rate;
        context.increment_at_a = b.increment_at_a;
        context.tick_seconds = b.tick_seconds;
#endif
        float TUTTI_SHARED* const left = shared.sound[0] + r * k_row_stride;
        float TUTTI_SHARED* const right = b.bank.channels > 1 ? shared.sound[1] + r * k_row_stride : nullptr;
        engine::Group<Type<float>, float> group(bank, step, context, lane, left, right);
        engine::Row* const rows[1] = {&row};
        shared.muted[place] = static_cast<unsigned char>(group.template render<1>(rows, &changed, true));
        shared.busy[place] = 1;
    } else if (changed) {
        row.unsettled |= bit;
    }
    shared.flags[place] =
        static_cast<unsigned char>((row.active != 0 ? 1 : 0) | (row.muted != 0 ? 2 : 0) | (row.unsettled != 0 ? 4 : 0) |
                                   (row.gliding != 0 ? 8 : 0) | (row.muffled != 0 ? 16 : 0));
}

// Rows lane by lane in order, and the rows' flags.
inline void sum_rows(const BankEntry TUTTI_DEVICE& b, unsigned chunk, Shared TUTTI_SHARED& shared, int place) noexcept {
    const int sides = b.bank.channels > 1 ? 2 : 1;
    for (int side = 0; side < sides; ++side) {
        float TUTTI_SHARED* const sound = shared.sound[side];
        for (int i = place; i < b.step.frames * voices::k_row_slots; i += k_threads) {
            const int lane = i % voices::k_row_slots;
            float sum = 0.0f;
            bool some = false;
            for (int r = 0; r < voices::k_chunk_rows; ++r) {
                if (shared.busy[r * voices::k_row_slots + lane] == 0) continue;
                const float x = sound[r * k_row_stride + i];
                sum = some ? sum + x : x;
                some = true;
            }
            sound[i] = sum;
        }
    }
    const int r = place / voices::k_row_slots, index = static_cast<int>(chunk) * voices::k_chunk_rows + r;
    if (place % voices::k_row_slots != 0 || index >= b.bank.row_count) return;
    DeviceRow TUTTI_DEVICE& row = b.rows[index];
    if (row.active != 0 || row.first_edit != engine::k_no_edit)
        row.version = b.bank.tables[b.bank.table_count - 1].version;
    unsigned mask[5] = {0, 0, 0, 0, 0};
    for (int lane = 0; lane < voices::k_row_slots; ++lane)
        for (int f = 0; f < 5; ++f)
            mask[f] |= static_cast<unsigned>(shared.flags[place + lane] >> f & 1) << lane;
    row.active = static_cast<unsigned short>(mask[0]);
    row.muted = static_cast<unsigned short>(mask[1]);
    row.unsettled = static_cast<unsigned short>(mask[2]);
    row.gliding = static_cast<unsigned short>(mask[3]);
    row.muffled = static_cast<unsigned short>(mask[4]);
    row.first_edit = engine::k_no_edit;
}

// Lanes at distances 8, 4, 2, 1.
inline void sum_frames(const Header TUTTI_DEVICE& h, const BankEntry TUTTI_DEVICE& b, unsigned chunk,
                       const Shared TUTTI_SHARED& shared, int place) noexcept {
    const int side = place / voices::k_block_frames, frame = place % voices::k_block_frames;
    if (frame < b.step.frames && side < (b.bank.channels > 1 ? 2 : 1))
        h.partials[(b.first_partial + chunk) * 2 * voices::k_block_frames + static_cast<unsigned>(place)] =
            dsp::sum_lanes(shared.sound[side] + frame * voices::k_row_slots);
}

// A bank's chunks by a pairwise tree over their index; place = channel and frame.
inline void sum_chunks(const Header TUTTI_DEVICE& h, unsigned bank, unsigned place) noexcept {
    const BankEntry TUTTI_DEVICE& b = h.banks[bank];
    float waiting[34];
    int depth = 0;
    unsigned count = 0;
    for (unsigned chunk = 0; chunk < b.chunks; ++chunk) {
        waiting[depth++] = h.partials[(b.first_partial + chunk) * 2 * voices::k_block_frames + place];
        for (unsigned n = ++count; (n & 1u) == 0; n >>= 1) {
            waiting[depth - 2] += waiting[depth - 1];
            --depth;
        }
    }
    for (; depth > 1; --depth)
        waiting[depth - 2] += waiting[depth - 1];
    h.out[bank * 2 * voices::k_block_frames + place] = depth == 1 ? waiting[0] : 0.0f;
}

} // namespace TUTTI_ISA_SPACE
} // namespace gpu
} // namespace tutti
