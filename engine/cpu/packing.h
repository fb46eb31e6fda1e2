// SPDX-License-Identifier: MIT
// Finds rows of which one or two quads sound and puts those quads of several banks and streams side by side.
//
// A part of 100 voices is six rows and a quarter: alone it would pay for seven, and for the last one without a second row
// to hide behind. Ten such parts, of one stream or of ten, pay for sixty-two and a half.
#pragma once

#include <algorithm>
#include <cstdint>

#include "dsp/lane.h"
#include "engine/cpu/kernel.h"
#include "engine/memory/memory.h"

namespace tutti::engine {

class Packing {
public:
    // [control]
    Packing() : m_sound(take_floats(k_bundles * 2 * k_size)) {
        // Touched here, and not in a callback, where it would be a page fault.
        std::fill_n(m_sound.get(), k_bundles * 2 * k_size, 0.0f);
        m_rows.resize(k_most);
        m_rows.clear();
    }

    // No bundles. [render]
    void clear() noexcept {
        m_rows.clear();
        m_bundle_count = m_open_count = 0;
    }
    // Looks through the banks of a step and makes the bundles. [render]
    void plan(BankStep* steps, int count, const KernelTable& kernels) noexcept {
        clear();
        for (int i = 0; i < count && room(); ++i) {
            Bank& bank = *steps[i].bank;
            const Kernel& kernel = kernels.type[bank.type->kernel];
            const int key = kernel.bundle_key == nullptr ? 0 : kernel.bundle_key(bank);
            if (key == 0) continue;
            for (int chunk = 0; chunk * voices::k_chunk_rows < bank.busy_rows() && room(); ++chunk)
                consider(i, bank, steps[i].step, kernel, key, chunk);
        }
        // A row alone in its bundles gains nothing, but costs little: it stays.
        if (m_rows.size() == 1) {
            m_rows.clear();
            m_bundle_count = 0;
        }
    }

    // Bundles before this number hold all the quads of a step's bank. They are best made just before it, for then their sound is
    // still near. [render]
    int bundles_for(int step_index) const noexcept {
        int bundles = 0;
        for (std::size_t i = find(step_index, 0); i < m_rows.size() && m_rows[i].step == step_index; ++i)
            bundles = std::max(bundles, m_rows[i].bundles);
        return bundles;
    }
    int bundle_count() const noexcept { return m_bundle_count; }
    BundleWork& bundle(int i) noexcept { return m_bundles[i]; }

    // Tells a chunk what has been made of its last row. `step_index` counts as in plan(). [render]
    void give(int step_index, ChunkWork& work) const noexcept {
        const std::size_t place = find(step_index, work.chunk);
        if (place == m_rows.size() || m_rows[place].step != step_index || m_rows[place].chunk != work.chunk) return;
        const PackedRow& row = m_rows[place];
        work.packed_row = row.row;
        for (int q = 0; q < 4; ++q)
            for (int c = 0; c < 2; ++c)
                work.packed[q][c] = row.out[q][c];
    }

private:
    static constexpr int k_most = 96; // rows at once; further ones are rendered as they are
    static constexpr int k_keys = 8;  // bundles open at once
    static constexpr int k_bundles = k_most * 2 / 4 + k_keys;
    static constexpr int k_size = voices::k_row_slots * voices::k_block_frames;

    struct PackedRow {
        int step;
        int chunk;
        const Row* row;
        int bundles; // all that hold quads of it are before this one
        const float* out[4][2];
    };
    struct Open {
        int key;
        int bundle;
    };

    bool room() const noexcept { return m_rows.size() < k_most; }

    // The place of the first row of this chunk or a later one.
    std::size_t find(int step_index, int chunk) const noexcept {
        std::size_t from = 0, to = m_rows.size(); // in order of step and chunk
        while (from < to) {
            const std::size_t middle = (from + to) / 2;
            const PackedRow& row = m_rows[middle];
            if (row.step < step_index || (row.step == step_index && row.chunk < chunk))
                from = middle + 1;
            else
                to = middle;
        }
        return from;
    }

    void consider(int step_index, Bank& bank, const Step& step, const Kernel& kernel, int key, int chunk) noexcept {
        int last = (chunk + 1) * voices::k_chunk_rows;
        last = std::min(last, bank.busy_rows());
        const Row* row = nullptr;
        for (int r = last - 1; r >= chunk * voices::k_chunk_rows && row == nullptr; --r)
            if (bank.rows[r].active != 0 || bank.rows[r].first_edit != k_no_edit) row = &bank.rows[r];
        if (row == nullptr || row->first_edit != k_no_edit || row->unsettled != 0 ||
            row->version != bank.tables[0].version || (row->gliding | row->muffled | row->muted) != 0)
            return;
        int quads = 0;
        for (int q = 0; q < 4; ++q)
            quads += (row->active >> (4 * q) & 15) != 0 ? 1 : 0;
        if (quads > 2 || !is_finite(*row, kernel)) return;
        // A step that is cut elsewhere in its tick cannot share.
        const int whole = key << 12 | static_cast<int>(step.frame & (voices::k_tick_frames - 1)) << 7 | step.frames;
        PackedRow packed{step_index, chunk, row, 0, {}};
        for (int q = 0; q < 4; ++q) {
            if ((row->active >> (4 * q) & 15) == 0) continue;
            BundleWork* const bundle = open(whole, bank, step);
            if (bundle == nullptr) return; // only a row's first quad can find none: nothing of it has been placed
            for (int c = 0; c < 2; ++c)
                packed.out[q][c] = bundle->out[c] + 4 * bundle->count;
            bundle->quad[bundle->count++] = row->fields + 4 * q;
            packed.bundles = std::max(packed.bundles, static_cast<int>(bundle - m_bundles) + 1);
        }
        m_rows.push_back(packed);
    }

    // Below 1e38, that is: well below where a chunk's own test begins to mute.
    static bool is_finite(const Row& row, const Kernel& kernel) noexcept {
        using dsp::NativeLanes;
        constexpr int k_step = dsp::width_of<NativeLanes>();
        dsp::MaskOf<NativeLanes> good = dsp::lane_mask<NativeLanes>(0xffffu);
        for (int lane = 0; lane < voices::k_row_slots; lane += k_step) { // silent ones hold 0
            NativeLanes sum(0.0f);
            for (int m = 0; m < kernel.memory_count; ++m)
                sum = sum +
                      dsp::abs(dsp::load<NativeLanes>(row.fields + kernel.memories[m] * voices::k_row_slots + lane));
            good = dsp::both(good, sum < NativeLanes(1e38f));
        }
        return !dsp::any(!good);
    }

    // The bundle of a key with room for a quad.
    BundleWork* open(int key, const Bank& bank, const Step& step) noexcept {
        int place = 0;
        while (place < m_open_count && m_open[place].key != key)
            ++place;
        if (place == m_open_count) {
            if (m_open_count == k_keys) return nullptr;
            m_open[m_open_count++] = {key, -1};
        }
        int& index = m_open[place].bundle;
        if (index < 0 || m_bundles[index].count == 4) {
            index = m_bundle_count++;
            m_bundles[index].bank = &bank;
            m_bundles[index].step = step;
            m_bundles[index].count = 0;
            for (int c = 0; c < 2; ++c)
                m_bundles[index].out[c] = m_sound.get() + (2 * index + c) * k_size;
        }
        return &m_bundles[index];
    }

    Floats m_sound;           // [bundle][channel][frame][16]
    Vector<PackedRow> m_rows; // in order of step and chunk
    BundleWork m_bundles[k_bundles];
    int m_bundle_count = 0;
    Open m_open[k_keys];
    int m_open_count = 0;
};

} // namespace tutti::engine
