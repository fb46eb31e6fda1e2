// SPDX-License-Identifier: MIT
#include "engine/cpu/backend.h"

#include <atomic>
#include <bit>
#include <cstring>
#include <string>

#include <tutti/platform.h>

#include "engine/cpu/crew.h"
#include "engine/cpu/flush.h"
#include "engine/cpu/kernel.h"
#include "engine/cpu/packing.h"
#include "voices/registry.h"

namespace tutti::engine {

static_assert(k_kernel_count == voices::k_voice_type_count, "each voice type has its line in kernels.inl");

const KernelTable* kernels_of(Isa isa) noexcept {
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

namespace {

struct Sum {
    float channel[2][voices::k_block_frames];
};

void add(Sum& to, const Sum& from, int frames, bool stereo) noexcept {
    for (int i = 0; i < frames; ++i)
        to.channel[0][i] += from.channel[0][i];
    if (!stereo) return;
    for (int i = 0; i < frames; ++i)
        to.channel[1][i] += from.channel[1][i];
}

// Adds what comes in order of index as a pairwise tree would: equal sums of 1, 2, 4, ... members wait for their like.
class TreeSum {
public:
    // Where the next member goes.
    Sum& next() noexcept { return m_waiting[m_depth]; }
    void push(int frames, bool stereo) noexcept {
        ++m_depth;
        for (std::uint32_t n = ++m_count; (n & 1u) == 0; n >>= 1)
            join(frames, stereo);
    }
    const Sum* finish(int frames, bool stereo) noexcept {
        while (m_depth > 1)
            join(frames, stereo);
        return m_depth == 1 ? &m_waiting[0] : nullptr;
    }
    // Begins anew.
    void clear() noexcept {
        m_depth = 0;
        m_count = 0;
    }

private:
    void join(int frames, bool stereo) noexcept {
        add(m_waiting[m_depth - 2], m_waiting[m_depth - 1], frames, stereo);
        --m_depth;
    }
    Sum m_waiting[34];
    int m_depth = 0;
    std::uint32_t m_count = 0;
};

// A subtree of a bank's chunks: what one thread does at a time.
struct Unit {
    Bank* bank = nullptr;
    int index = 0; // of its step
    Step step;
    int first = 0;
    int last = 0;
    std::uint32_t muted = 0;
    Sum sum;
};

constexpr int k_units = 512; // at once; larger work goes in larger subtrees, or in several rounds

int chunks_of(const Bank& bank) noexcept {
    return (bank.row_count + voices::k_chunk_rows - 1) / voices::k_chunk_rows;
}

class CpuBackend final : public Backend {
public:
    CpuBackend(int threads, Isa isa)
        : m_kernels(kernels_of(isa)), m_name(std::string("cpu (") + isa_name(isa) + ")"), m_crew(threads - 1) {
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

private:
    // A row takes about 0.2 microseconds for 64 frames and more; telling a helper and hearing from it costs about two, and a
    // wake from sleep tens. Below this many rows the caller is faster alone.
    static constexpr int k_rows_worth_sharing = 48;
    static bool is_worth_sharing(const BankStep* steps, int count) noexcept {
        int rows = 0;
        for (int i = 0; i < count && rows < k_rows_worth_sharing; ++i)
            for (int r = 0; r < steps[i].bank->row_count; ++r)
                rows += steps[i].bank->rows[r].active != 0 ? 1 : 0;
        return rows >= k_rows_worth_sharing;
    }

    // The chunks [first, last) of a bank, summed as a tree.
    const Sum* render_chunks(int index, Bank& bank, const Step& step, int first, int last, TreeSum& tree,
                             std::uint32_t& muted) const noexcept {
        const auto render = m_kernels->type[bank.type->kernel].chunk;
        const bool stereo = bank.channels > 1;
        tree.clear();
        for (int chunk = first; chunk < last; ++chunk) {
            Sum& sum = tree.next();
            ChunkWork work;
            work.bank = &bank;
            work.step = step;
            work.chunk = chunk;
            work.out[0] = sum.channel[0];
            work.out[1] = sum.channel[1];
            m_packing.give(index, work);
            render(work);
            muted += work.muted;
            tree.push(step.frames, stereo);
        }
        return tree.finish(step.frames, stereo);
    }

    static void write(Bank& bank, const Step& step, const Sum* sum) noexcept {
        const int at = static_cast<int>(step.frame % voices::k_block_frames);
        const auto size = static_cast<std::size_t>(step.frames) * sizeof(float);
        for (int c = 0; c < bank.channels; ++c)
            if (sum != nullptr && c < 2)
                std::memcpy(bank.bus[c] + at, sum->channel[c], size);
            else
                std::memset(bank.bus[c] + at, 0, size);
    }

    void render_bundle(int i) noexcept {
        BundleWork& work = m_packing.bundle(i);
        m_kernels->type[work.bank->type->kernel].bundle(work);
    }

    void render_alone(BankStep* steps, int count) noexcept TUTTI_NONBLOCKING {
        for (int i = 0; i < m_packing.bundle_count(); ++i)
            render_bundle(i);
        for (int i = 0; i < count; ++i) {
            Bank& bank = *steps[i].bank;
            const Sum* const sum = render_chunks(i, bank, steps[i].step, 0, chunks_of(bank), m_tree, bank.muted_voices);
            write(bank, steps[i].step, sum);
        }
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
            const unsigned least = static_cast<unsigned>((chunks + most - 1) / most);
            const int size = static_cast<int>(std::bit_ceil(least > 0 ? least : 1u));
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
        TreeSum tree;
        const Sum* const sum =
            render_chunks(unit.index, *unit.bank, unit.step, unit.first, unit.last, tree, unit.muted);
        if (sum != nullptr) unit.sum = *sum;
    }
    void collect(BankStep* steps, int begin, int end, int units) noexcept {
        int at = 0;
        for (int i = begin; i < end; ++i) {
            Bank& bank = *steps[i].bank;
            const int frames = steps[i].step.frames;
            m_tree.clear();
            for (; at < units && m_units[static_cast<std::size_t>(at)].bank == &bank; ++at) {
                const Unit& unit = m_units[static_cast<std::size_t>(at)];
                bank.muted_voices += unit.muted;
                m_tree.next() = unit.sum;
                m_tree.push(frames, bank.channels > 1);
            }
            write(bank, steps[i].step, m_tree.finish(frames, bank.channels > 1));
        }
    }

    const KernelTable* m_kernels;
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
