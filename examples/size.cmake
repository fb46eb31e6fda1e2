# SPDX-License-Identifier: MIT
# cmake -DPROGRAM=hello_note -DSTRIP=strip -DBUILD_TYPE=Release -P size.cmake: how large the stripped program is.
if(NOT BUILD_TYPE MATCHES "^(Release|MinSizeRel)$")
    message("SKIP: a ${BUILD_TYPE} build's size says nothing")
    return()
endif()
set(copy "${PROGRAM}.stripped")
execute_process(COMMAND "${STRIP}" -o "${copy}" "${PROGRAM}" COMMAND_ERROR_IS_FATAL ANY)
file(SIZE "${copy}" size)
message("${size} bytes, stripped; at most 1500000")
if(size GREATER 1500000)
    message(FATAL_ERROR "the program is too large")
endif()
