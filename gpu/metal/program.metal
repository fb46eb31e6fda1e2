// SPDX-License-Identifier: MIT
// The device program for Metal 3.2 (macOS 15; lambdas). gpu/metal/source.cpp puts it and its headers into one text and says
// `thread` at every pointer that is not marked; gpu/metal/device.mm gives that text to Metal's compiler at run time.
#include <metal_stdlib>
#pragma METAL fp math_mode(safe)
#pragma METAL fp contract(off)
#define TUTTI_ISA_SPACE metal_gpu
#define TUTTI_LANE_FLOAT_ONLY
#define TUTTI_DEVICE_PROGRAM
#define TUTTI_NO_DOUBLE
#ifndef TUTTI_METAL_SHIM
template <class T>
T own_copy(device const T& from) {
    return from;
}
#endif
#include "gpu/device/program.h"
#include "gpu/device/types.inl"

using namespace tutti;
using namespace tutti::gpu;

// Shared memory: Metal gives a group of threads 32 KB, half of what the voices' sound needs, so it stands in the device's.
template <template <class> class Type>
void render_block(device const Header& h, int type, unsigned first, unsigned group, unsigned index,
                  device Shared* all) {
    const unsigned block = first + group;
    if (block >= h.chunk_count[type]) return;
    const ChunkEntry entry = own_copy(h.chunks[h.chunk_first[type] + block]);
    device const BankEntry& bank = h.banks[entry.bank];
    device Shared& shared = all[group];
    const int thread_index = static_cast<int>(index);
    render_voice<Type>(bank, entry.chunk, shared, thread_index);
    if (shared.muted[thread_index] != 0)
        metal::atomic_fetch_add_explicit((device metal::atomic_uint*)(bank.muted),
                                         static_cast<unsigned>(shared.muted[thread_index]),
                                         metal::memory_order_relaxed);
    metal::threadgroup_barrier(metal::mem_flags::mem_device);
    sum_rows(bank, entry.chunk, shared, thread_index);
    metal::threadgroup_barrier(metal::mem_flags::mem_device);
    sum_frames(h, bank, entry.chunk, shared, thread_index);
}

kernel void tutti_apply(device const Header& h [[buffer(0)]], uint block [[threadgroup_position_in_grid]],
                        uint index [[thread_position_in_threadgroup]], uint count [[threads_per_threadgroup]]) {
    apply_thread(h, block, index, count);
}
kernel void tutti_sum(device const Header& h [[buffer(0)]], uint block [[threadgroup_position_in_grid]],
                      uint index [[thread_position_in_threadgroup]]) {
    if (block < h.bank_count) sum_chunks(h, block, index);
}
// The last of a command buffer's: what came before is in memory by then.
kernel void tutti_publish(device const Header& h [[buffer(0)]]) {
    metal::atomic_store_explicit((device metal::atomic_uint*)(h.done), h.sequence, metal::memory_order_relaxed);
}
#define TUTTI_DEVICE_TYPE(place, Type)                                                                                 \
    kernel void tutti_render_##place(device const Header& h [[buffer(0)]], device Shared* all [[buffer(1)]],           \
                                     constant uint& first [[buffer(2)]], uint group [[threadgroup_position_in_grid]],  \
                                     uint index [[thread_position_in_threadgroup]]) {                                  \
        render_block<voices::Type>(h, place, first, group, index, all);                                                \
    }
TUTTI_DEVICE_TYPES
