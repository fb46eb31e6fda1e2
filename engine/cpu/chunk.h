// SPDX-License-Identifier: MIT
// Renders one chunk of a bank: rows in pairs (the filter's chain of one hides behind the other), split at edits and ticks.
//
// Included by the instruction sets' translation units only. Over 400 lines: one loop, with what it splits at, read best together.
#pragma once

#include "dsp/reduce.h"
#include "engine/cpu/kernel.h"
#include "voices/slots.h"

namespace tutti::engine {
inline namespace TUTTI_ISA_SPACE {

using namespace voices;

inline constexpr int k_tick_mask = k_tick_frames - 1;
// Two rows at a time, where speed is asked for; rows are added in order either way.
#ifdef TUTTI_FEW_SHAPES
inline constexpr bool k_row_pairs = false;
#else
inline constexpr bool k_row_pairs = true;
#endif

// What a row needs while it rests.
inline Context key_context(const Bank& bank) noexcept {
    Context c;
    c.shape = bank.shape;
    c.tier = bank.quality;
    c.stereo = bank.channels > 1;
    return c;
}
inline Context make_context(const Bank& bank, const Step& step) noexcept {
    Context c = key_context(bank);
    c.table = bank.tables[0].table;
    c.routes = bank.routes;
    c.route_count = bank.route_count;
    c.frame = static_cast<Word>(static_cast<std::uint64_t>(step.frame));
    return c;
}
// What depends on the rate.
inline void take_rate(Context& c, const Bank& bank) noexcept {
#ifdef TUTTI_NO_DOUBLE
    (void)c, (void)bank; // the device's program has put it there
#else
    c.rate = static_cast<float>(bank.sample_rate);
    c.increment_at_a = static_cast<float>(440.0 / bank.sample_rate * 4294967296.0);
    c.tick_seconds = static_cast<float>(k_tick_frames / bank.sample_rate);
#endif
}
// The rest, for targets.
inline void complete(Context& c, const Bank& bank) noexcept {
    if (c.log2_angle != 0.0f) return;
    take_rate(c, bank);
    // log2(pi / rate) in steps that need no library: the polynomial's error (2e-7 octaves) is far below a cent.
    c.log2_angle = dsp::log2(3.14159265f / c.rate * 1048576.0f) - 20.0f;
    for (int r = 0; r < bank.route_count; ++r) {
        c.sources |= 1u << bank.routes[r].source | 1u << bank.routes[r].via;
        c.routed[bank.routes[r].target >> 5] |= 1u << (bank.routes[r].target & 31);
    }
}

// One row as a group sees it: W lanes from `lane` on.
template <class Type>
struct Part {
    Row* row;
    typename Type::View view;
    std::uint32_t edit; // the next one that has not been looked at
    Word settled_not;   // lanes of this group that are not settled, from bit 0
};

template <class Type, class F>
class Group {
public:
    static constexpr int k_width = width_of<F>();
    static constexpr Word k_lanes = (1u << k_width) - 1u;

    Group(const Bank& bank, const Step& step, const Context& context, int lane, float TUTTI_SHARED* left,
          float TUTTI_SHARED* right) noexcept
        : m_bank(bank), m_step(step), m_context(context), m_lane(lane), m_left(left + lane),
          m_right(right == nullptr ? nullptr : right + lane) {}

    // Counts the voices that it mutes.
    template <int G>
    std::uint32_t render(Row* const* rows, const bool* changed, bool fresh) noexcept {
        Part<Type> part[G];
        typename Type::View view[G];
        std::uint32_t muted = 0;
        for (int g = 0; g < G; ++g) {
            view[g] = typename Type::View(rows[g]->fields + m_lane);
            part[g] = {rows[g], view[g], rows[g]->first_edit, Word(rows[g]->unsettled) >> m_lane & k_lanes};
        }
        Context c = m_context;
        note_flags<G>(rows, c);
        for (int g = 0; g < G; ++g)
            muted += mute(part[g], c);
        int table = 0;
        bool new_table = false;
        for (int at = 0; at < m_step.frames;) {
            while (table + 1 < m_bank.table_count && m_bank.tables[table + 1].offset <= at) {
                new_table = new_table || m_bank.tables[table + 1].version != m_bank.tables[table].version;
                c.table = m_bank.tables[++table].table;
            }
            int next = m_step.frames;
            if (table + 1 < m_bank.table_count && m_bank.tables[table + 1].offset < next)
                next = m_bank.tables[table + 1].offset;
            const int left = frames_left(at);
            c.tick = tick_at(at);
            // Nothing happens here but a tick that `run` can do by itself.
            bool quiet = left == k_tick_frames && !new_table && Type::runs_through(c);
            for (int g = 0; g < G; ++g) {
                const int edit = next_edit(part[g]);
                quiet = quiet && edit > at && part[g].settled_not == 0 && !(at == 0 && changed[g]);
                if (edit < next && edit > at) next = edit;
            }
            if (!quiet) complete(c, m_bank);
            if (fresh && !(quiet && at == 0 && next == m_step.frames)) {
                clear();
                fresh = false;
            }
            if (quiet) {
                Type::template run<G>(view, c, at, next, true, true, {m_left, m_right, fresh});
                at = next;
                continue;
            }
            for (int g = 0; g < G; ++g) {
                const bool all_new = new_table || (at == 0 && changed[g]);
                enter(part[g], c, at, left, all_new);
                const int edit = next_edit(part[g]);
                if (edit < next) next = edit;
            }
            new_table = false;
            note_flags<G>(rows, c);
            at = run<G>(part, view, c, at, next);
        }
        for (int g = 0; g < G; ++g)
            rows[g]->unsettled = static_cast<std::uint16_t>((Word(rows[g]->unsettled) & ~(k_lanes << m_lane)) |
                                                            part[g].settled_not << m_lane);
        return muted;
    }

    // Nothing has sounded here yet.
    void clear() noexcept {
        for (int i = 0; i < m_step.frames; ++i)
            store(m_left + i * k_row_slots, F(0.0f));
        if (m_right == nullptr) return;
        for (int i = 0; i < m_step.frames; ++i)
            store(m_right + i * k_row_slots, F(0.0f));
    }

private:
    int frames_left(int at) const noexcept {
        return k_tick_frames - static_cast<int>((m_step.frame + at) & k_tick_mask);
    }
    Word tick_at(int at) const noexcept {
        return static_cast<Word>(static_cast<std::uint64_t>((m_step.frame + at) / k_tick_frames));
    }

    // Frames [at, next), with the ticks inside; returns next.
    template <int G>
    int run(Part<Type>* part, const typename Type::View* view, Context& c, int at, int next) noexcept {
        complete(c, m_bank);
        while (at < next) {
            bool through = Type::runs_through(c);
            for (int g = 0; g < G; ++g)
                through = through && part[g].settled_not == 0;
            if (through && frames_left(at) == k_tick_frames) {
                // The tick at `at` has been done. To its end the slopes may be anything that it made.
                const int end = next - at < k_tick_frames ? next : at + k_tick_frames;
                Type::template run<G>(view, c, at, end, false, false, {m_left, m_right});
                if (end < next) Type::template run<G>(view, c, end, next, true, true, {m_left, m_right});
                return next;
            }
            const int left = frames_left(at);
            const int stop = next - at < left ? next : at + left;
            Type::template run<G>(view, c, at, stop, false, false, {m_left, m_right});
            at = stop;
            if (at == next) break;
            c.tick = tick_at(at);
            for (int g = 0; g < G; ++g) {
                Type::advance(view[g], c);
                part[g].settled_not = Type::retarget_tick(view[g], c, part[g].settled_not != 0) & k_lanes;
            }
        }
        return at;
    }

    template <int G>
    void note_flags(Row* const* rows, Context& c) const noexcept {
        Word gliding = 0, muffled = 0;
        for (int g = 0; g < G; ++g) {
            gliding |= rows[g]->gliding;
            muffled |= rows[g]->muffled;
        }
        c.gliding = (gliding >> m_lane & k_lanes) != 0;
        c.muffled = (muffled >> m_lane & k_lanes) != 0;
    }

    bool is_mine(const Edit TUTTI_DEVICE& edit) const noexcept {
        return edit.lane >= m_lane && edit.lane < m_lane + k_width;
    }

    int next_edit(Part<Type>& part) const noexcept {
        while (part.edit != k_no_edit && !is_mine(m_bank.edits[part.edit]))
            part.edit = m_bank.edits[part.edit].next;
        return part.edit == k_no_edit ? m_step.frames : m_bank.edits[part.edit].offset;
    }

    // What happens at frame `at` before it sounds: the tick, the edits, a new table.
    void enter(Part<Type>& part, Context& c, int at, int left, bool new_table) noexcept {
        const bool tick = left == k_tick_frames;
        c.gliding = (Word(part.row->gliding) >> m_lane & k_lanes) != 0;
        if (tick) Type::advance(part.view, c);
        Word edited = 0, begun = 0, inputs = 0;
        while (next_edit(part) <= at && part.edit != k_no_edit) {
            const Edit TUTTI_DEVICE& edit = m_bank.edits[part.edit];
            const Word bit = 1u << (edit.lane - m_lane);
            apply(*part.row, edit);
            flag(*part.row, edit);
            if (edit.kind == Edit::start) begun |= bit;
            if (edit.kind == Edit::stop) begun &= ~bit;
            if (edit.kind != Edit::stop) edited |= bit;
            // Envelopes are ramped at every tick anyway.
            if (edit.kind != Edit::write || edit.first < input_count) inputs |= bit;
            part.edit = edit.next;
        }
        if (new_table) part.settled_not = k_lanes;
        c.gliding = (Word(part.row->gliding) >> m_lane & k_lanes) != 0;
        if (tick) {
            const Word open = part.settled_not | inputs;
            part.settled_not = begun != 0 ? Type::retarget(part.view, c, k_lanes, begun, left)
                                          : Type::retarget_tick(part.view, c, open != 0);
        } else {
            const Word which = new_table ? k_lanes : edited;
            if (which != 0)
                part.settled_not = (part.settled_not & ~which) | Type::retarget(part.view, c, which, begun, left);
            part.settled_not |= inputs;
        }
        part.settled_not &= k_lanes;
    }

    static void clear(Row& row, int lane, int first) noexcept {
        for (int f = first; f < Type::k_field_count; ++f)
            row.fields[f * k_row_slots + lane] = 0.0f;
    }
    static void apply(Row& row, const Edit TUTTI_DEVICE& edit) noexcept {
        const auto bit = static_cast<std::uint16_t>(1u << edit.lane);
        float TUTTI_DEVICE* const lane = row.fields + edit.lane;
        switch (edit.kind) {
        case Edit::start:
            for (int f = 0; f < state_field(Type::k_envelope_count); ++f)
                lane[f * k_row_slots] = edit.values[f];
            clear(row, edit.lane, state_field(Type::k_envelope_count));
            row.active |= bit;
            row.muted &= static_cast<std::uint16_t>(~bit);
            break;
        case Edit::write:
            if ((row.muted & bit) != 0) break;
            for (int f = 0; f < edit.count; ++f)
                lane[(edit.first + f) * k_row_slots] = edit.values[f];
            break;
        case Edit::stop:
            clear(row, edit.lane, 0);
            row.active &= static_cast<std::uint16_t>(~bit);
            row.muted &= static_cast<std::uint16_t>(~bit);
            break;
        }
    }

    static void flag(Row& row, const Edit TUTTI_DEVICE& edit) noexcept {
        const auto bit = static_cast<std::uint16_t>(1u << edit.lane);
        const float TUTTI_DEVICE* const lane = row.fields + edit.lane;
        const float open = lane[input_lowpass * k_row_slots];
        row.gliding = static_cast<std::uint16_t>(lane[input_pitch_step * k_row_slots] != 0.0f ? row.gliding | bit
                                                                                              : row.gliding & ~bit);
        row.muffled = static_cast<std::uint16_t>(open > 0.0f && open < 1.0f ? row.muffled | bit : row.muffled & ~bit);
    }

    // Lanes whose memories are not finite are silenced until their next start.
    std::uint32_t mute(Part<Type>& part, const Context& c) noexcept {
        const F sum = Type::health(part.view, c);
        Word bad = ~mask_bits(sum < F(3.0e38f)) & k_lanes;
        std::uint32_t count = 0;
        for (int i = 0; bad != 0; ++i, bad >>= 1) {
            if ((bad & 1u) == 0) continue;
            const auto bit = static_cast<std::uint16_t>(1u << (m_lane + i));
            clear(*part.row, m_lane + i, 0);
            if ((part.row->active & bit) != 0) {
                part.row->muted |= bit;
                ++count;
            }
        }
        return count;
    }

    const Bank& m_bank;
    const Step& m_step;
    const Context& m_context;
    const int m_lane;
    float TUTTI_SHARED* const m_left;
    float TUTTI_SHARED* const m_right;
};

#ifndef TUTTI_DEVICE_PROGRAM
template <template <class> class Type, class F>
void render_chunk(ChunkWork& work) noexcept {
    Bank& bank = *work.bank;
    const bool stereo = bank.channels > 1;
    alignas(64) float left[k_block_frames * k_row_slots];
    alignas(64) float right[k_block_frames * k_row_slots];
    const Context context = make_context(bank, work.step);
    Row* rows[k_chunk_rows];
    bool changed[k_chunk_rows];
    int count = 0;
    const int first = work.chunk * k_chunk_rows;
    const int last = bank.row_count < first + k_chunk_rows ? bank.row_count : first + k_chunk_rows;
    for (int r = first; r < last; ++r) {
        Row& row = bank.rows[r];
        if ((row.active == 0 && row.first_edit == k_no_edit) || &row == work.packed_row) continue;
        changed[count] = row.version != bank.tables[0].version;
        row.version = bank.tables[bank.table_count - 1].version;
        rows[count++] = &row;
    }
    work.muted = 0;
    for (int lane = 0; lane < k_row_slots; lane += width_of<F>()) {
        // The rows that have something to do in these lanes.
        const Word lanes = ((1u << width_of<F>()) - 1u) << lane;
        Row* busy[k_chunk_rows];
        bool busy_changed[k_chunk_rows];
        int busy_count = 0;
        for (int i = 0; i < count; ++i) {
            if ((rows[i]->active & lanes) == 0 && rows[i]->first_edit == k_no_edit) {
                if (changed[i]) rows[i]->unsettled |= static_cast<std::uint16_t>(lanes);
                continue;
            }
            busy[busy_count] = rows[i];
            busy_changed[busy_count++] = changed[i];
        }
        Group<Type<F>, F> group(bank, work.step, context, lane, left, stereo ? right : nullptr);
        if (busy_count == 0) group.clear();
        int i = 0;
        for (; k_row_pairs && i + 2 <= busy_count; i += 2) {
            // What the next pair will touch: a block of a row is longer than a wait for memory.
            for (int ahead = i + 2; ahead < i + 4 && ahead < busy_count; ++ahead)
                Type<F>::prefetch(typename Type<F>::View(busy[ahead]->fields + lane), context);
            if (i + 4 > busy_count && lane + width_of<F>() == k_row_slots)
                for (const Row* next : work.next)
                    if (next != nullptr) Type<F>::prefetch(typename Type<F>::View(next->fields), context);
            if constexpr (k_row_pairs) work.muted += group.template render<2>(busy + i, busy_changed + i, i == 0);
        }
        for (; i < busy_count; ++i)
            work.muted += group.template render<1>(busy + i, busy_changed + i, i == 0);
    }
    // What bundles made of the last busy row comes last: the sum's order is kept.
    for (int side = 0; side < (stereo ? 2 : 1); ++side) {
        const float* more[4];
        for (int q = 0; q < 4; ++q)
            more[q] = work.packed[q][side];
        const float* const own = side == 0 ? left : right;
        if (work.packed_row == nullptr)
            dsp::sum_lanes(own, work.out[side], work.step.frames);
        else if (more[1] == nullptr && more[2] == nullptr && more[3] == nullptr)
            dsp::sum_lanes_with<dsp::Packed::first>(own, more, work.out[side], work.step.frames);
        else
            dsp::sum_lanes_with<dsp::Packed::any>(own, more, work.out[side], work.step.frames);
    }
}

// Bundles: see engine/cpu/packing.h for why. Only a type that says which fields its still form touches can be packed.
template <template <class> class Type, class F>
int bundle_key(const Bank& bank) noexcept {
    if (width_of<F>() <= 4 || bank.table_count != 1) return 0;
    const Context c = key_context(bank);
    return Type<F>::runs_through(c) ? 1 + (c.tier | (c.stereo ? 4 : 0) | Type<F>::bundle_kind(c) << 3) : 0;
}

template <template <class> class Type, class F>
void render_bundle(BundleWork& work) noexcept {
    using T = Type<F>;
    Context c = key_context(*work.bank);
    c.frame = static_cast<Word>(static_cast<std::uint64_t>(work.step.frame));
    alignas(64) float fields[T::k_field_count * k_row_slots];
    const auto packed = T::packed_fields(c);
    const int frames = work.step.frames;
    const int at = static_cast<int>(work.step.frame & k_tick_mask);
    const int first = at == 0 ? 0 : k_tick_frames - at < frames ? k_tick_frames - at : frames;
    if (first > 0)
        for (float& field : fields)
            field = 0.0f; // settled: slopes that are not copied
    for (int i = 0; i < packed.in_count; ++i) {
        const int row = packed.in[i] * k_row_slots;
        for (int q = 0; q < 4; ++q) // an empty quad sounds as the first one does, unheard
            dsp::copy_quad(fields + row + 4 * q, work.quad[q < work.count ? q : 0] + row);
    }
    for (int lane = 0; lane < k_row_slots; lane += width_of<F>()) {
        const typename T::View view(fields + lane);
        const Accumulator to = {work.out[0] + lane, c.stereo ? work.out[1] + lane : nullptr, true};
        if (first > 0) T::template run<1>(&view, c, 0, first, false, false, to);
        if (first < frames) T::template run<1>(&view, c, first, frames, true, true, to);
    }
    for (int i = 0; i < packed.out_count; ++i) {
        const int row = packed.out[i] * k_row_slots;
        for (int q = 0; q < work.count; ++q)
            dsp::copy_quad(work.quad[q] + row, fields + row + 4 * q);
    }
}

template <template <class> class Type, class F>
constexpr Kernel kernel_of() {
    if constexpr (Type<F>::k_packed_count > 0)
        return {&render_chunk<Type, F>, &bundle_key<Type, F>, &render_bundle<Type, F>, Type<F>::k_memories,
                Type<F>::k_memory_count};
    else
        return {&render_chunk<Type, F>, nullptr, nullptr, nullptr, 0};
}
#endif

} // namespace TUTTI_ISA_SPACE
} // namespace tutti::engine
