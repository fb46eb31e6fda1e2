# SPDX-License-Identifier: MIT
# What every target of ours has in common: C++20, warnings, the arithmetic contract. Targets only, no global flags.

find_package(Threads REQUIRED)

# Sources of the control side, of which nothing is fast or slow: size before speed. And sources of the audio side outside the
# kernels, for which -O3 is a third larger and no faster. Builds without optimisation stay as they are.
function(tutti_small)
    if(NOT MSVC)
        set_source_files_properties(${ARGN} TARGET_DIRECTORY tutti PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-Os>")
    endif()
endfunction()
function(tutti_plain)
    if(NOT MSVC)
        set_source_files_properties(${ARGN} TARGET_DIRECTORY tutti PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-O2>")
    endif()
endfunction()
# The same with loops over frames in several lanes, which gcc leaves to -O3.
function(tutti_loops)
    set(loops -O2)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        list(APPEND loops -fvect-cost-model=dynamic)
    endif()
    if(NOT MSVC)
        set_source_files_properties(${ARGN} TARGET_DIRECTORY tutti PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:${loops}>")
    endif()
endfunction()

function(tutti_target name)
    target_compile_features(${name} PUBLIC cxx_std_20)
    set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON
        CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
    if(MSVC)
        target_compile_options(${name} PRIVATE /W4 /fp:precise /utf-8)
        if(TUTTI_WERROR)
            target_compile_options(${name} PRIVATE /WX)
        endif()
    else()
        # Contraction off: every fused multiply-add in the audio path is written as one (docs/design: arithmetic contract).
        target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wno-psabi -ffp-contract=off)
        if(TUTTI_WERROR)
            target_compile_options(${name} PRIVATE -Werror)
        endif()
        if(TUTTI_SANITIZE)
            target_compile_options(${name} PRIVATE -fsanitize=${TUTTI_SANITIZE} -fno-omit-frame-pointer -O1 -g1)
            target_link_options(${name} PRIVATE -fsanitize=${TUTTI_SANITIZE})
            if(TUTTI_SANITIZE MATCHES "undefined")
                target_compile_options(${name} PRIVATE -fno-sanitize-recover=all)
            elseif(TUTTI_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
                # gcc warns that it does not model fences; ours only order what atomics hold.
                target_compile_options(${name} PRIVATE -Wno-tsan)
            elseif(TUTTI_SANITIZE MATCHES "realtime")
                # What is marked TUTTI_NONBLOCKING is checked at compile time as well.
                # stable_sort of libstdc++ 12 uses what it has itself deprecated, and clang 22 says so at our line.
                target_compile_options(${name} PRIVATE -Wfunction-effects -Wno-deprecated-declarations)
            endif()
        endif()
    endif()
endfunction()

# tutti_test(NAME engine.allocator SOURCES a.cpp b.cpp [LIBRARIES tutti::io] [LABELS unit])
# One doctest executable and one CTest entry; the main function is tutti_test_main's. A test whose point is several
# threads has the label `threads`: those alone run under the thread sanitizer. `slow` ones (minutes) stay out of sanitizers;
# `short` ones are what `./test` runs of them: they handle memory, and take seconds. They are built by the target tests_short.
function(tutti_test)
    cmake_parse_arguments(T "" "NAME" "SOURCES;LIBRARIES;LABELS" ${ARGN})
    if(NOT T_LABELS)
        set(T_LABELS unit)
    endif()
    if((TUTTI_SANITIZE AND "slow" IN_LIST T_LABELS) OR (TUTTI_SANITIZE MATCHES "thread" AND NOT "threads" IN_LIST T_LABELS))
        return()
    endif()
    string(REPLACE "." "_" target "test_${T_NAME}")
    add_executable(${target} ${T_SOURCES})
    tutti_target(${target})
    target_link_libraries(${target} PRIVATE tutti::engine tutti_test_main ${T_LIBRARIES})
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
    target_compile_definitions(${target} PRIVATE TUTTI_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME ${T_NAME} COMMAND ${target})
    # Tests that count allocations replace operator new, but not its nothrow form, which is then the sanitizer's own.
    set_tests_properties(${T_NAME} PROPERTIES LABELS "${T_LABELS}" SKIP_RETURN_CODE 77
                         ENVIRONMENT "ASAN_OPTIONS=alloc_dealloc_mismatch=0;TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/lanes/tsan.supp")
    if("short" IN_LIST T_LABELS OR TUTTI_SANITIZE MATCHES "thread")
        tutti_short(${target})
    endif()
endfunction()

# The target belongs to what the sanitizer lanes of `./test` build.
function(tutti_short target)
    if(NOT TARGET tests_short)
        add_custom_target(tests_short)
    endif()
    add_dependencies(tests_short ${target})
endfunction()
