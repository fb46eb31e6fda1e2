// SPDX-License-Identifier: MIT
#include "engine/cpu/backend.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <mutex>
#include <string>

#include <tutti/platform.h>

#include "engine/core/voice_types.h"
#include "engine/cpu/crew.h"
#include "engine/cpu/flush.h"
#include "engine/cpu/kernel.h"
#include "engine/cpu/packing.h"
#include "engine/cpu/tree_sum.h"
#include "voices/registry.h"

namespace tutti::engine {

static_assert(k_kernel_count == voices::k_voice_type_count, "each voice type has its line in kernels.inl");

namespace {
const KernelTable* registry_kernels(Isa isa) noexcept {
    switch (isa) {
    case Isa::scalar:
        return kernels_scalar();
#if defined(TUTTI_KERNELS_X86)
    case Isa::sse2:
        return kernels_sse2();
    case Isa::avx2:
        return kernels_avx2();
    case Isa::avx512:
        return kernels_avx512();
#elif defined(TUTTI_KERNELS_NEON)
    case Isa::neon:
        return kernels_neon();
#endif
    default:
        return nullptr;
    }
}

// The registry's, then those of the types that the program brought.
const KernelTable* with_added(Isa isa, const KernelTable* own) noexcept {
    const std::span<const AddedVoice> added = added_voices();
    if (own == nullptr || added.empty()) return own;
    static constinit std::once_flag made[k_isa_count];
    static constinit KernelTable tables[k_isa_count] = {};
    const auto place = static_cast<std::size_t>(isa);
    std::call_once(made[place], [&] {
        tables[place] = *own;
        for (std::size_t i = 0; i < added.size(); ++i)
            if (added[i].kernels[place] != nullptr) tables[place].type[k_kernel_count + i] = *added[i].kernels[place];
    });
    return &tables[place];
}
} // namespace

const KernelTable* kernels_of(Isa isa) noexcept {
    return with_added(isa, registry_kernels(isa));
}

namespace {

// A full row is fastest at full width, a part of few voices leaves more than half of it idle: where registers are as wide as
// a row, half-wide ones then do the same in half the time, or (where full width costs no more) in the same.
const KernelTable* half_kernels_of(Isa isa) noexcept {
    return isa == Isa::avx512 ? kernels_of(Isa::avx2) : nullptr;
}

// A subtree of a bank's chunks: what one thread does at a time.
struct Unit {
    Bank* bank = nullptr;
    int index = 0; // of its step
    Step step;
    int first = 0;
    int last = 0;
    std::uint32_t muted = 0;
    bool silent = false;
    bool padded = false;
    Sum sum;
};

constexpr int k_units = 512; // at once; larger work goes in larger subtrees, or in several rounds
constexpr int k_units_a_thread = 2;

int chunks_of(const Bank& bank) noexcept {
    return (bank.busy_rows() + voices::k_chunk_rows - 1) / voices::k_chunk_rows;
}

// A chunk of a part made for many voices is often empty: making its zeros would cost as much as two of its rows.
bool sounds(const Bank& bank, int chunk) noexcept {
    const int first = chunk * voices::k_chunk_rows;
    const int last = std::min(first + voices::k_chunk_rows, bank.busy_rows());
    for (int r = first; r < last; ++r)
        if (bank.rows[r].active != 0 || bank.rows[r].first_edit != k_no_edit) return true;
    return false;
}

class CpuBackend final : public Backend {
public:
    CpuBackend(int threads, Isa isa)
        : m_kernels(kernels_of(isa)), m_half_kernels(half_kernels_of(isa)),
          m_name(std::string("cpu (") + isa_name(isa) + ")"), m_crew(threads - 1) {
        if (m_crew.helpers() > 0) m_units.resize(k_units);
    }
    const char* name() const noexcept override { return m_name.c_str(); }

    void render(BankStep* steps, int count, int threads) noexcept override {
        const FlushScope flush;
        const int helpers = (threads - 1 < m_crew.helpers() ? threads - 1 : m_crew.helpers());
        m_packing.plan(steps, count, *m_kernels);
        if (helpers > 0 && is_worth_sharing(steps, count))
            render_shared(steps, count, helpers);
        else
            render_alone(steps, count);
    }

    void render_with(BankStep* steps, int count, Work work, void* context, int jobs, int threads) noexcept override {
        const int helpers = (threads - 1 < m_crew.helpers() ? threads - 1 : m_crew.helpers());
        bool small = helpers > 0 && jobs >= k_jobs_worth_sharing;
        for (int i = 0; i < count; ++i)
            small = small && chunks_of(*steps[i].bank) == 1 && steps[i].bank->channels <= 2;
        if (!small) return Backend::render_with(steps, count, work, context, jobs, threads);
        // Bank by bank, each with its work: one loop of the crew's instead of three, and nobody waits for the longest bank.
        const FlushScope flush;
        m_packing.clear();
        struct Jobs {
            CpuBackend* backend;
            BankStep* steps;
            int count;
            Work work;
            void* context;
        } all = {this, steps, count, work, context};
        m_crew.run(
            [](void* self, int i) noexcept {
                const auto& them = *static_cast<Jobs*>(self);
                if (i < them.count) them.backend->render_small(*them.steps[i].bank, them.steps[i].step);
                them.work(them.context, i);
            },
            &all, jobs, helpers);
    }

    void each(Work work, void* context, int count, int threads) noexcept override {
        const int helpers = (threads - 1 < m_crew.helpers() ? threads - 1 : m_crew.helpers());
        m_crew.run(work, context, count, helpers);
    }

private:
    // A row of the simplest sound takes about 0.2 microseconds for 64 frames, of most others five times that; telling a helper
    // and hearing from it costs about two, and a wake from sleep tens. Below this much the caller is faster alone.
    static constexpr int k_worth_sharing = 48;
    static constexpr int k_jobs_worth_sharing = 4;
    static constexpr int k_slow_row = 5;
    bool is_worth_sharing(const BankStep* steps, int count) const noexcept {
        int work = 0;
        for (int i = 0; i < count && work < k_worth_sharing; ++i) {
            const Bank& bank = *steps[i].bank;
            const Kernel& kernel = m_kernels->type[bank.type->kernel];
            const int row = kernel.bundle_key != nullptr && kernel.bundle_key(bank) != 0 ? 1 : k_slow_row;
            for (int r = 0; r < bank.busy_rows() && work < k_worth_sharing; ++r)
                work += bank.rows[r].active != 0 ? row : 0;
        }
        return work >= k_worth_sharing;
    }

    // `next`: the bank that comes after, if any.
    void render_chunk(int index, Bank& bank, const Step& step, int chunk, const Bank* next, float* left, float* right,
                      std::uint32_t& muted) const noexcept {
        const auto whole = m_kernels->type[bank.type->kernel].chunk;
        const auto halves = m_half_kernels == nullptr ? whole : m_half_kernels->type[bank.type->kernel].chunk;
        ChunkWork work;
        work.bank = &bank;
        work.step = step;
        work.chunk = chunk;
        work.out[0] = left;
        work.out[1] = right;
        m_packing.give(index, work);
        const int after = (chunk + 1) * voices::k_chunk_rows;
        if (after + 1 < bank.busy_rows()) {
            work.next[0] = &bank.rows[after];
            work.next[1] = &bank.rows[after + 1];
        } else if (next != nullptr && next->type == bank.type && next->busy_rows() > 1) {
            work.next[0] = &next->rows[0];
            work.next[1] = &next->rows[1];
        }
        (halves != whole && is_half_empty(bank, chunk) ? halves : whole)(work);
        muted += work.muted;
    }

    // The chunks [first, last) of a bank, summed as a tree.
    const Sum* render_chunks(int index, Bank& bank, const Step& step, int first, int last, const Bank* next,
                             TreeSum& tree, std::uint32_t& muted) const noexcept {
        tree.clear();
        for (int chunk = first; chunk < last; ++chunk) {
            if (!sounds(bank, chunk)) {
                tree.push_silence(step.frames, bank.channels > 1);
                continue;
            }
            Sum& sum = tree.next();
            render_chunk(index, bank, step, chunk, next, sum.channel[0], sum.channel[1], muted);
            tree.push(step.frames, bank.channels > 1);
        }
        return tree.finish(step.frames, bank.channels > 1);
    }

    // Each row of the chunk that sounds does so in one half only.
    static bool is_half_empty(const Bank& bank, int chunk) noexcept {
        const int first = chunk * voices::k_chunk_rows;
        const int last = std::min(first + voices::k_chunk_rows, bank.busy_rows());
        for (int r = first; r < last; ++r) {
            const unsigned active = bank.rows[r].active;
            if ((active & 0xffu) != 0 && (active & 0xff00u) != 0) return false;
        }
        return true;
    }

    static void write(Bank& bank, const Step& step, const Sum* sum, bool padded) noexcept {
        const int at = static_cast<int>(step.frame % voices::k_block_frames);
        const auto size = static_cast<std::size_t>(step.frames) * sizeof(float);
        padded = padded || bank.row_count > chunks_of(bank) * voices::k_chunk_rows;
        for (int c = 0; c < bank.channels; ++c)
            if (sum == nullptr || c >= 2)
                std::memset(bank.bus[c] + at, 0, size);
            else if (!padded)
                std::memcpy(bank.bus[c] + at, sum->channel[c], size);
            else
                for (int i = 0; i < step.frames; ++i)
                    bank.bus[c][at + i] = sum->channel[c][i] + 0.0f;
    }

    void render_bundle(int i) noexcept {
        BundleWork& work = m_packing.bundle(i);
        m_kernels->type[work.bank->type->kernel].bundle(work);
    }

    void render_alone(BankStep* steps, int count) noexcept TUTTI_NONBLOCKING {
        int bundles = 0;
        for (int i = 0; i < count; ++i) {
            Bank& bank = *steps[i].bank;
            const int chunks = chunks_of(bank);
            const Bank* const next = i + 1 < count ? steps[i + 1].bank : nullptr;
            for (int wanted = m_packing.bundles_for(i); bundles < wanted; ++bundles)
                render_bundle(bundles);
            if (chunks == 1 && bank.channels <= 2 && sounds(bank, 0)) {
                render_onto_bus(i, bank, steps[i].step, next);
                continue;
            }
            const Sum* const sum = render_chunks(i, bank, steps[i].step, 0, chunks, next, m_tree, bank.muted_voices);
            write(bank, steps[i].step, sum, m_tree.padded());
        }
    }
    void render_small(Bank& bank, const Step& step) noexcept {
        if (sounds(bank, 0))
            render_onto_bus(0, bank, step, nullptr);
        else
            write(bank, step, nullptr, false);
    }
    // A tree of one chunk is the chunk.
    void render_onto_bus(int index, Bank& bank, const Step& step, const Bank* next) noexcept {
        const int at = static_cast<int>(step.frame % voices::k_block_frames);
        float* const right = bank.channels > 1 ? bank.bus[1] + at : nullptr;
        render_chunk(index, bank, step, 0, next, bank.bus[0] + at, right, bank.muted_voices);
        for (int c = 0; bank.row_count > voices::k_chunk_rows && c < bank.channels; ++c)
            for (int i = 0; i < step.frames; ++i)
                bank.bus[c][at + i] += 0.0f; // what silent chunks add
    }

    // Subtrees whose size is a power of two and whose place is a multiple of it: the tree's shape does not change.
    void render_shared(BankStep* steps, int count, int helpers) noexcept {
        m_crew.run([](void* self, int i) noexcept { static_cast<CpuBackend*>(self)->render_bundle(i); }, this,
                   m_packing.bundle_count(), helpers);
        for (int begin = 0; begin < count;) {
            int end = begin;
            int chunks = 0;
            while (end < count && end - begin < k_units / 2)
                chunks += chunks_of(*steps[end++].bank);
            const int most = k_units / 2;
            const auto least = std::bit_ceil(static_cast<unsigned>((chunks + most - 1) / most));
            // Taking a number costs about what a row does: of units that leave two a thread, the largest.
            const auto many = std::bit_floor(static_cast<unsigned>(chunks / (k_units_a_thread * (helpers + 1))));
            const int size = static_cast<int>(std::max({least, many, 1u}));
            int units = 0;
            for (int i = begin; i < end; ++i)
                for (int first = 0, all = chunks_of(*steps[i].bank); first < all; first += size) {
                    Unit& unit = m_units[static_cast<std::size_t>(units++)];
                    unit.bank = steps[i].bank;
                    unit.index = i;
                    unit.step = steps[i].step;
                    unit.first = first;
                    unit.last = first + size < all ? first + size : all;
                    unit.muted = 0;
                }
            m_crew.run(
                [](void* self, int i) noexcept {
                    auto& backend = *static_cast<CpuBackend*>(self);
                    backend.render_unit(backend.m_units[static_cast<std::size_t>(i)]);
                },
                this, units, helpers);
            collect(steps, begin, end, units);
            begin = end;
        }
    }
    void render_unit(Unit& unit) noexcept {
        if (unit.last - unit.first == 1) {
            unit.silent = unit.padded = !sounds(*unit.bank, unit.first);
            if (!unit.silent)
                render_chunk(unit.index, *unit.bank, unit.step, unit.first, nullptr, unit.sum.channel[0],
                             unit.sum.channel[1], unit.muted);
            return;
        }
        TreeSum tree;
        const Sum* const sum =
            render_chunks(unit.index, *unit.bank, unit.step, unit.first, unit.last, nullptr, tree, unit.muted);
        unit.silent = sum == nullptr;
        unit.padded = tree.padded();
        if (sum != nullptr) unit.sum = *sum;
    }
    void collect(BankStep* steps, int begin, int end, int units) noexcept {
        int at = 0;
        for (int i = begin; i < end; ++i) {
            Bank& bank = *steps[i].bank;
            const int frames = steps[i].step.frames;
            m_tree.clear();
            bool padded = false;
            for (; at < units && m_units[static_cast<std::size_t>(at)].bank == &bank; ++at) {
                const Unit& unit = m_units[static_cast<std::size_t>(at)];
                bank.muted_voices += unit.muted;
                padded = padded || unit.padded;
                if (unit.silent)
                    m_tree.push_silence(frames, bank.channels > 1);
                else
                    m_tree.push(unit.sum, frames, bank.channels > 1);
            }
            write(bank, steps[i].step, m_tree.finish(frames, bank.channels > 1), padded);
        }
    }

    const KernelTable* m_kernels;
    const KernelTable* m_half_kernels; // of half the width and the same bits, or null
    std::string m_name;
    Crew m_crew;
    Packing m_packing;
    TreeSum m_tree;
    Vector<Unit> m_units;
};

} // namespace

std::unique_ptr<Backend> make_cpu_backend(int threads, Isa isa) {
    return std::make_unique<CpuBackend>(threads, isa);
}

Result<std::unique_ptr<Backend>> make_cpu_backend(int threads) {
    const Result<Isa> isa = select_isa();
    if (!isa.ok()) return isa.status();
    return make_cpu_backend(threads, isa.value());
}

} // namespace tutti::engine
