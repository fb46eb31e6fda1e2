# SPDX-License-Identifier: MIT
# Instruction sets that voices are compiled for, and voice types that a program brings along. Installed with the package: it is
# there after find_package(tutti), add_subdirectory and FetchContent alike.

# The instruction sets of this machine's kind, as dsp/isa.h names them.
function(tutti_isa_list out)
    set(isas scalar)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
        list(APPEND isas sse2 avx2 avx512)
    elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64|ARM64")
        list(APPEND isas neon)
    endif()
    set(${out} ${isas} PARENT_SCOPE)
endfunction()

# The compiler's flags for one.
function(tutti_isa_flags isa out)
    if(MSVC)
        set(flags "")
        if(isa STREQUAL "avx2")
            set(flags /arch:AVX2)
        elseif(isa STREQUAL "avx512")
            set(flags /arch:AVX512)
        endif()
        set(${out} "${flags}" PARENT_SCOPE)
        return()
    endif()
    # Exceptions off: nothing there throws, and a unit leaves no symbol behind that another instruction set could pick. So no
    # table is needed to unwind it either.
    set(flags -fno-exceptions -fno-math-errno -fno-asynchronous-unwind-tables -fno-unwind-tables)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # gcc 12 warns of its own AVX-512 headers.
        list(APPEND flags -Wno-uninitialized -Wno-maybe-uninitialized)
    endif()
    if(isa STREQUAL "scalar")
        # The reference has a library's fma where the machine's baseline has none: slow, and the same bits. Instrumented, it
        # keeps its sanitizers.
        if(NOT TUTTI_SANITIZE)
            list(APPEND flags -Os)
        endif()
    else()
        # -O2: within 2 % of -O3, three quarters of the size, and fast in a debug build, too. -Os halves the size of SSE2 again, and its speed.
        if(TUTTI_SANITIZE)
            list(APPEND flags -fno-sanitize=all) # instrumented, a wide unit takes gcc 12 many minutes
        endif()
        list(APPEND flags -O2)
    endif()
    if(isa STREQUAL "avx2")
        list(APPEND flags -mavx2 -mfma)
    elseif(isa STREQUAL "avx512")
        list(APPEND flags -mavx2 -mfma -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
    endif()
    set(${out} "${flags}" PARENT_SCOPE)
endfunction()

# tutti_add_voice(TARGET HEADER folded.h TYPE my::folded::k_type KERNEL my::Folded)
#
# Compiles a voice type of yours (voices/subtractive.h says how one is made; examples/custom_voice is one in one header) for
# every instruction set and links it to TARGET, a program or a shared library, where it is a type like any other from the
# start of main on. HEADER is found as the target's own headers are, TYPE is its VoiceType, KERNEL the class template of its recurrence.
function(tutti_add_voice target)
    cmake_parse_arguments(V "" "HEADER;TYPE;KERNEL" "" ${ARGN})
    foreach(word IN ITEMS HEADER TYPE KERNEL)
        if(NOT V_${word})
            message(FATAL_ERROR "tutti_add_voice(${target}): ${word} is missing; nothing was added; give HEADER, TYPE and KERNEL")
        endif()
    endforeach()
    get_filename_component(header "${V_HEADER}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    if(NOT EXISTS "${header}")
        message(FATAL_ERROR "tutti_add_voice(${target}): ${header} is not there; nothing was added; give HEADER as a file")
    endif()
    string(MAKE_C_IDENTIFIER "${target}_${V_KERNEL}" name)
    set(folder "${CMAKE_CURRENT_BINARY_DIR}/tutti_voices/${name}")
    add_library(${name}_voice OBJECT)
    tutti_isa_list(isas)
    set(declared "")
    set(kernels "")
    foreach(isa IN ITEMS scalar sse2 avx2 avx512 neon) # the order of dsp::Isa
        if(NOT isa IN_LIST isas)
            list(APPEND kernels nullptr)
            continue()
        endif()
        set(unit "${folder}/${isa}.cpp")
        set(how "")
        if(isa STREQUAL "scalar")
            string(APPEND how "#define TUTTI_KERNEL_LANES float\n")
        endif()
        if(isa MATCHES "scalar|sse2")
            string(APPEND how "#define TUTTI_FEW_SHAPES\n")
        endif()
        file(CONFIGURE OUTPUT "${unit}" @ONLY CONTENT "// Made by tutti_add_voice.
@how@#define TUTTI_ISA_SPACE @isa@
#define TUTTI_VOICE_HEADER \"@header@\"
#define TUTTI_VOICE_KERNEL @V_KERNEL@
#define TUTTI_VOICE_FUNCTION @name@_@isa@
#include \"engine/cpu/added_voice.inl\"
")
        tutti_isa_flags(${isa} flags)
        target_sources(${name}_voice PRIVATE "${unit}")
        set_source_files_properties("${unit}" PROPERTIES COMPILE_OPTIONS "${flags}")
        string(APPEND declared "const Kernel* ${name}_${isa}() noexcept;\n")
        list(APPEND kernels "${name}_${isa}()")
    endforeach()
    list(JOIN kernels ", " kernels)
    file(CONFIGURE OUTPUT "${folder}/register.cpp" @ONLY CONTENT "// Made by tutti_add_voice.
#include \"engine/core/voice_types.h\"
#include \"@header@\"
namespace tutti::engine {
@declared@namespace {
[[maybe_unused]] const bool added = [] {
    add_voice_type(@V_TYPE@, {@kernels@});
    return true;
}();
} // namespace
} // namespace tutti::engine
")
    target_sources(${name}_voice PRIVATE "${folder}/register.cpp")
    target_compile_features(${name}_voice PRIVATE cxx_std_20)
    set_target_properties(${name}_voice PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON
                          CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
    if(NOT MSVC)
        # Contraction off: every fused multiply-add in the audio path is written as one.
        target_compile_options(${name}_voice PRIVATE -ffp-contract=off -Wno-psabi)
    endif()
    if(NOT TARGET tutti_xsimd)
        tutti_find(NAME xsimd HEADER xsimd/xsimd.hpp PACKAGE libxsimd-dev)
        if(NOT TUTTI_XSIMD_FOUND)
            message(FATAL_ERROR "tutti_add_voice(${target}): ${TUTTI_XSIMD_WHY}; voices cannot be compiled; install it and try again")
        endif()
    endif()
    target_link_libraries(${name}_voice PRIVATE tutti::voice_headers tutti_xsimd)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${name}_voice>)
endfunction()
