# SPDX-License-Identifier: MIT
# Finds somebody else's library. Installed beside the package files as well: whoever uses a room of ours that needs others'
# libraries finds them in the same way.
#
# tutti_find(...) sets TUTTI_<NAME>_FOUND and, where it is true, makes the imported target tutti_<name>; otherwise
# TUTTI_<NAME>_WHY says what is missing.
include_guard()

# tutti_find(NAME xsimd HEADER xsimd/xsimd.hpp [PACKAGE libxsimd-dev] [LIBRARY file-name] [SUFFIXES include])
# HEADER is spelt as our sources include it. LIBRARY is for those that are not header-only.
function(tutti_find)
    cmake_parse_arguments(D "" "NAME;HEADER;LIBRARY;PACKAGE" "SUFFIXES" ${ARGN})
    string(TOUPPER ${D_NAME} upper)
    set(found FALSE)
    set(why "${D_HEADER} not found (Debian: ${D_PACKAGE})")
    if(TARGET tutti_${D_NAME})
        set(TUTTI_${upper}_FOUND TRUE PARENT_SCOPE)
        return()
    endif()

    if(TUTTI_FETCH_DEPENDENCIES AND NOT D_LIBRARY AND TUTTI_${upper}_ARCHIVE)
        if(NOT TUTTI_${upper}_SHA256)
            message(FATAL_ERROR "TUTTI_${upper}_ARCHIVE is given without TUTTI_${upper}_SHA256; nothing is fetched unchecked; "
                                "give the archive's SHA-256")
        endif()
        # SOURCE_SUBDIR names no folder: the headers are wanted, not the project's own build.
        include(FetchContent)
        FetchContent_Declare(tutti_fetched_${D_NAME} URL "${TUTTI_${upper}_ARCHIVE}"
                             URL_HASH SHA256=${TUTTI_${upper}_SHA256} SOURCE_SUBDIR no-build)
        FetchContent_MakeAvailable(tutti_fetched_${D_NAME})
        set(place "${tutti_fetched_${D_NAME}_SOURCE_DIR}")
        unset(TUTTI_${upper}_INCLUDE_DIR CACHE)
        find_path(TUTTI_${upper}_INCLUDE_DIR NAMES ${D_HEADER} PATHS "${place}" PATH_SUFFIXES include single_include ${D_SUFFIXES}
                  NO_DEFAULT_PATH)
        get_filename_component(file ${D_HEADER} NAME)
        if(NOT TUTTI_${upper}_INCLUDE_DIR AND EXISTS "${place}/${file}")
            # Debian puts the header into a folder, upstream does not: one more file makes both spellings one.
            file(WRITE "${CMAKE_BINARY_DIR}/tutti_include/${D_HEADER}" "#include \"${place}/${file}\"\n")
            set(TUTTI_${upper}_INCLUDE_DIR "${CMAKE_BINARY_DIR}/tutti_include" CACHE PATH "Folder of ${D_HEADER}" FORCE)
        endif()
    else()
        find_path(TUTTI_${upper}_INCLUDE_DIR NAMES ${D_HEADER} DOC "Folder of ${D_HEADER}")
        get_filename_component(file ${D_HEADER} NAME)
        if(NOT TUTTI_${upper}_INCLUDE_DIR AND NOT D_LIBRARY)
            find_path(TUTTI_${upper}_PLAIN_DIR NAMES ${file} DOC "Folder of ${file}")
            if(TUTTI_${upper}_PLAIN_DIR)
                file(WRITE "${CMAKE_BINARY_DIR}/tutti_include/${D_HEADER}" "#include \"${TUTTI_${upper}_PLAIN_DIR}/${file}\"\n")
                set(TUTTI_${upper}_INCLUDE_DIR "${CMAKE_BINARY_DIR}/tutti_include" CACHE PATH "Folder of ${D_HEADER}" FORCE)
            endif()
            mark_as_advanced(TUTTI_${upper}_PLAIN_DIR)
        endif()
        if(NOT D_LIBRARY)
            string(APPEND why ", or TUTTI_FETCH_DEPENDENCIES with TUTTI_${upper}_ARCHIVE")
        endif()
    endif()
    mark_as_advanced(TUTTI_${upper}_INCLUDE_DIR)

    if(TUTTI_${upper}_INCLUDE_DIR)
        set(found TRUE)
        if(D_LIBRARY)
            find_library(TUTTI_${upper}_LIBRARY NAMES ${D_LIBRARY} DOC "The ${D_NAME} library")
            mark_as_advanced(TUTTI_${upper}_LIBRARY)
            if(NOT TUTTI_${upper}_LIBRARY)
                set(found FALSE)
                set(why "lib${D_LIBRARY} not found (Debian: ${D_PACKAGE})")
            endif()
        endif()
    endif()
    if(found)
        add_library(tutti_${D_NAME} INTERFACE IMPORTED GLOBAL)
        # System headers: our warnings are for our code. /usr/include itself must not be named (gcc's include_next).
        if(NOT TUTTI_${upper}_INCLUDE_DIR IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
            target_include_directories(tutti_${D_NAME} SYSTEM INTERFACE "${TUTTI_${upper}_INCLUDE_DIR}")
        endif()
        if(D_LIBRARY)
            target_link_libraries(tutti_${D_NAME} INTERFACE "${TUTTI_${upper}_LIBRARY}")
        endif()
        set(why "")
        if(D_LIBRARY) # for the package file of a room that is linked to it
            set_property(GLOBAL PROPERTY TUTTI_DEPENDENCY_${D_NAME} ${D_NAME} ${D_HEADER} ${D_LIBRARY} ${D_PACKAGE})
        endif()
    endif()
    set(TUTTI_${upper}_FOUND ${found} PARENT_SCOPE)
    set(TUTTI_${upper}_WHY "${why}" PARENT_SCOPE)
endfunction()
