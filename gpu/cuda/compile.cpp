// SPDX-License-Identifier: MIT
// Compiles one unit of gpu/cuda/program.cu at build time: tutti_cuda_compile NVRTC ROOT UNIT ARCHITECTURE OUT.
//
// The compiler is CUDA's own as a library (libnvrtc, the same as nvcc's device half): it can take every function for the
// device's (-default-device), so that the recurrences need no word of CUDA. Needs no GPU and no driver. ARCHITECTURE: "sm_90"
// gives machine code, "compute_80" PTX.
#include <dlfcn.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Program = void*;

template <class Function>
bool take(void* library, const char* name, Function& to) {
    to = reinterpret_cast<Function>(dlsym(library, name));
    return to != nullptr;
}

int fail(const std::string& what) {
    std::fprintf(stderr, "tutti_cuda_compile: %s\n", what.c_str());
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 6) return fail("give NVRTC ROOT UNIT ARCHITECTURE OUT");
    const std::string root = argv[2], unit = argv[3], architecture = argv[4];
    void* const library = dlopen(argv[1], RTLD_NOW);
    if (library == nullptr) return fail(dlerror());
    int (*create)(Program*, const char*, const char*, int, const char* const*, const char* const*);
    int (*compile)(Program, int, const char* const*);
    int (*log_size)(Program, std::size_t*);
    int (*get_log)(Program, char*);
    int (*size_of)(Program, std::size_t*);
    int (*get)(Program, char*);
    const bool ptx = architecture.rfind("compute_", 0) == 0;
    if (!take(library, "nvrtcCreateProgram", create) || !take(library, "nvrtcCompileProgram", compile) ||
        !take(library, "nvrtcGetProgramLogSize", log_size) || !take(library, "nvrtcGetProgramLog", get_log) ||
        !take(library, ptx ? "nvrtcGetPTXSize" : "nvrtcGetCUBINSize", size_of) ||
        !take(library, ptx ? "nvrtcGetPTX" : "nvrtcGetCUBIN", get))
        return fail("the library lacks a function");
    std::ifstream file(root + "/gpu/cuda/program.cu");
    std::stringstream text;
    text << file.rdbuf();
    const std::string source = text.str();
    Program program = nullptr;
    if (source.empty() || create(&program, source.c_str(), "program.cu", 0, nullptr, nullptr) != 0)
        return fail("cannot read program.cu");
    const std::string shim = "-I" + root + "/gpu/cuda/shim", include = "-I" + root, define = "-DTUTTI_UNIT=" + unit,
                      target = "--gpu-architecture=" + architecture;
    // The reference's arithmetic: contraction off, division and square root rounded, subnormals flushed as the CPU flushes them.
    const std::vector<const char*> options = {"-default-device", "--std=c++20", "-fmad=false", "-prec-div=true",
                                              "-prec-sqrt=true", "-ftz=true",   shim.c_str(),  include.c_str(),
                                              define.c_str(),    target.c_str()};
    const int error = compile(program, static_cast<int>(options.size()), options.data());
    std::size_t size = 0;
    log_size(program, &size);
    std::string log(size, '\0');
    get_log(program, log.data());
    if (error != 0) return fail(log);
    size_of(program, &size);
    std::string code(size, '\0');
    get(program, code.data());
    std::ofstream out(argv[5], std::ios::binary);
    out.write(code.data(), static_cast<std::streamsize>(code.size()));
    return out.good() ? 0 : fail("cannot write the result");
}
