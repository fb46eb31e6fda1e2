// SPDX-License-Identifier: MIT
// The device program for CUDA. Compiled by gpu/cuda/compile.cpp with every function taken for the device's, contraction off,
// once a voice type (TUTTI_UNIT: its place; -1: what is common) and architecture.
#define TUTTI_ISA_SPACE cuda
#define TUTTI_LANE_FLOAT_ONLY
#define TUTTI_DEVICE_PROGRAM
#include "gpu/device/program.h"

using namespace tutti;
using namespace tutti::gpu;

#if TUTTI_UNIT < 0
extern "C" __global__ void tutti_apply(const Header* h) {
    apply_thread(*h, blockIdx.x, threadIdx.x, blockDim.x);
}
extern "C" __global__ void tutti_sum(const Header* h) {
    if (blockIdx.x < h->bank_count) sum_chunks(*h, blockIdx.x, threadIdx.x);
}
extern "C" __global__ void tutti_publish(const Header* h) {
    __threadfence_system(); // the host sees the buses before the number
    *static_cast<volatile unsigned*>(h->done) = h->sequence;
}
#else
#include "gpu/device/types.inl"

template <template <class> class Type>
__device__ void render_block(const Header& h, int kernel) {
    extern __shared__ __align__(16) unsigned char memory[];
    Shared& shared = *reinterpret_cast<Shared*>(memory);
    if (blockIdx.x >= h.chunk_count[kernel]) return;
    const ChunkEntry entry = h.chunks[h.chunk_first[kernel] + blockIdx.x];
    const BankEntry& bank = h.banks[entry.bank];
    const int thread = static_cast<int>(threadIdx.x);
    render_voice<Type>(bank, entry.chunk, shared, thread);
    if (shared.muted[thread] != 0) atomicAdd(bank.muted, static_cast<unsigned>(shared.muted[thread]));
    __syncthreads();
    sum_rows(bank, entry.chunk, shared, thread);
    __syncthreads();
    sum_frames(h, bank, entry.chunk, shared, thread);
}
#define TUTTI_DEVICE_TYPE(place, Type)                                                                                 \
    template <int unit>                                                                                                \
    struct Unit##place {                                                                                               \
        static __device__ void run(const Header&) {}                                                                   \
    };                                                                                                                 \
    template <>                                                                                                        \
    struct Unit##place<place> {                                                                                        \
        static __device__ void run(const Header& h) { render_block<voices::Type>(h, place); }                          \
    };
TUTTI_DEVICE_TYPES
#undef TUTTI_DEVICE_TYPE
extern "C" __global__ void __launch_bounds__(128) tutti_render(const Header* h) {
#define TUTTI_DEVICE_TYPE(place, Type) Unit##place<TUTTI_UNIT>::run(*h);
    TUTTI_DEVICE_TYPES
#undef TUTTI_DEVICE_TYPE
}
#endif
