// SPDX-License-Identifier: MIT
// The few functions of the CUDA driver that are used, found in libcuda at run time; names and numbers are the driver's.
#pragma once

#include <cstddef>
#include <string>

namespace tutti::gpu {

using CudaAddress = unsigned long long;

constexpr int cuda_capability_major = 75, cuda_capability_minor = 76, cuda_multiprocessors = 16, cuda_integrated = 18,
              cuda_shared_memory_optin = 97;    // CU_DEVICE_ATTRIBUTE_...
constexpr int cuda_function_dynamic_shared = 8; // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
constexpr unsigned cuda_stream_non_blocking = 1, cuda_host_portable = 1, cuda_host_mapped = 2;
constexpr unsigned cuda_event_disable_timing = 2;
constexpr int cuda_capture_thread_local = 1;

#define TUTTI_CUDA_FUNCTIONS(X)                                                                                        \
    X(cuInit, (unsigned))                                                                                              \
    X(cuDriverGetVersion, (int*))                                                                                      \
    X(cuDeviceGetCount, (int*))                                                                                        \
    X(cuDeviceGet, (int*, int))                                                                                        \
    X(cuDeviceGetName, (char*, int, int))                                                                              \
    X(cuDeviceTotalMem_v2, (std::size_t*, int))                                                                        \
    X(cuDeviceGetAttribute, (int*, int, int))                                                                          \
    X(cuDevicePrimaryCtxRetain, (void**, int))                                                                         \
    X(cuDevicePrimaryCtxRelease_v2, (int))                                                                             \
    X(cuCtxSetCurrent, (void*))                                                                                        \
    X(cuCtxGetStreamPriorityRange, (int*, int*))                                                                       \
    X(cuModuleLoadData, (void**, const void*))                                                                         \
    X(cuModuleUnload, (void*))                                                                                         \
    X(cuModuleGetFunction, (void**, void*, const char*))                                                               \
    X(cuFuncSetAttribute, (void*, int, int))                                                                           \
    X(cuMemAlloc_v2, (CudaAddress*, std::size_t))                                                                      \
    X(cuMemFree_v2, (CudaAddress))                                                                                     \
    X(cuMemsetD8_v2, (CudaAddress, unsigned char, std::size_t))                                                        \
    X(cuMemHostAlloc, (void**, std::size_t, unsigned))                                                                 \
    X(cuMemHostGetDevicePointer_v2, (CudaAddress*, void*, unsigned))                                                   \
    X(cuMemFreeHost, (void*))                                                                                          \
    X(cuMemcpyHtoDAsync_v2, (CudaAddress, const void*, std::size_t, void*))                                            \
    X(cuMemcpyDtoHAsync_v2, (void*, CudaAddress, std::size_t, void*))                                                  \
    X(cuStreamCreateWithPriority, (void**, unsigned, int))                                                             \
    X(cuStreamDestroy_v2, (void*))                                                                                     \
    X(cuStreamSynchronize, (void*))                                                                                    \
    X(cuStreamWaitEvent, (void*, void*, unsigned))                                                                     \
    X(cuEventCreate, (void**, unsigned))                                                                               \
    X(cuEventRecord, (void*, void*))                                                                                   \
    X(cuEventDestroy_v2, (void*))                                                                                      \
    X(cuStreamBeginCapture_v2, (void*, int))                                                                           \
    X(cuStreamEndCapture, (void*, void**))                                                                             \
    X(cuGraphInstantiateWithFlags, (void**, void*, unsigned long long))                                                \
    X(cuGraphLaunch, (void*, void*))                                                                                   \
    X(cuGraphDestroy, (void*))                                                                                         \
    X(cuGraphExecDestroy, (void*))                                                                                     \
    X(cuGetErrorString, (int, const char**))                                                                           \
    X(cuLaunchKernel,                                                                                                  \
      (void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**))

struct CudaDriver {
#define TUTTI_CUDA_MEMBER(name, parameters) int(*name) parameters = nullptr;
    TUTTI_CUDA_FUNCTIONS(TUTTI_CUDA_MEMBER)
#undef TUTTI_CUDA_MEMBER
};

// Null where there is no driver, or it cannot be initialised; then `why` (may be null) says so. Loaded once. [control]
const CudaDriver* cuda_driver(std::string* why);

} // namespace tutti::gpu
