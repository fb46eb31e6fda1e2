// SPDX-License-Identifier: MIT
// The body of a translation unit of the device programs; TUTTI_ISA_SPACE and TUTTI_RUN_BLOCK (the function's name) are defined.
#include "gpu/simulated/programs.h"

#include <atomic>

#include "gpu/device/device.h"
#include "gpu/device/types.inl"

namespace tutti::gpu {
namespace {

template <template <class> class Type>
void render_block(const Header& h, int kernel, unsigned block, Shared& shared) noexcept {
    if (block >= h.chunk_count[kernel]) return;
    const ChunkEntry entry = h.chunks[h.chunk_first[kernel] + block];
    const BankEntry& bank = h.banks[entry.bank];
    for (int t = 0; t < k_threads; ++t)
        render_voice<Type>(bank, entry.chunk, shared, t);
    for (int t = 0; t < k_threads; ++t) {
        // Relaxed: the host may look while the next step counts, and sees each voice once, in this look or the next.
        if (shared.muted[t] != 0)
            std::atomic_ref<unsigned>(bank.muted[0]).fetch_add(shared.muted[t], std::memory_order_relaxed);
        sum_rows(bank, entry.chunk, shared, t);
    }
    for (int t = 0; t < k_threads; ++t)
        sum_frames(h, bank, entry.chunk, shared, t);
}

} // namespace

void TUTTI_RUN_BLOCK(int program, const Header& h, unsigned block, Shared& shared) noexcept {
    switch (program) {
    case program_apply:
        for (unsigned t = 0; t < k_threads; ++t)
            apply_thread(h, block, t, k_threads);
        return;
    case program_sum:
        for (unsigned t = 0; t < k_threads && block < h.bank_count; ++t)
            sum_chunks(h, block, t);
        return;
    case program_publish:
        // Release: what was written before is there for who reads the number.
        std::atomic_ref<unsigned>(*h.done).store(h.sequence, std::memory_order_release);
        return;
    default:
        break;
    }
#define TUTTI_DEVICE_TYPE(index, Type)                                                                                 \
    if (program == program_render + index) return render_block<voices::Type>(h, index, block, shared);
    TUTTI_DEVICE_TYPES
#undef TUTTI_DEVICE_TYPE
}

} // namespace tutti::gpu
