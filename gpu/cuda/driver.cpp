// SPDX-License-Identifier: MIT
#include "gpu/cuda/driver.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace tutti::gpu {
namespace {

void* open_library() {
#if defined(_WIN32)
    return reinterpret_cast<void*>(LoadLibraryA("nvcuda.dll"));
#elif defined(__APPLE__)
    return nullptr;
#else
    return dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
#endif
}
void* find(void* library, const char* name) {
#if defined(_WIN32)
    return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
#else
    return dlsym(library, name);
#endif
}

struct Loaded {
    CudaDriver driver;
    std::string why;
    Loaded() {
        void* const library = open_library();
        if (library == nullptr) {
            why = "there is no CUDA driver on this machine";
            return;
        }
        bool all = true;
#define TUTTI_CUDA_TAKE(name, parameters)                                                                              \
    driver.name = reinterpret_cast<int(*) parameters>(find(library, #name));                                           \
    all = all && driver.name != nullptr;
        TUTTI_CUDA_FUNCTIONS(TUTTI_CUDA_TAKE)
#undef TUTTI_CUDA_TAKE
        if (!all)
            why = "the CUDA driver is too old: it lacks a function";
        else if (const int error = driver.cuInit(0); error != 0)
            why = "the CUDA driver cannot be initialised (error " + std::to_string(error) + ")";
    }
};

} // namespace

const CudaDriver* cuda_driver(std::string* why) {
    static const Loaded loaded;
    if (loaded.why.empty()) return &loaded.driver;
    if (why != nullptr) *why = loaded.why;
    return nullptr;
}

} // namespace tutti::gpu
