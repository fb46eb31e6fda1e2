# SPDX-License-Identifier: MIT
# Where other people's libraries come from. The system's copy comes first. Of the header-only ones a release archive will do
# instead: with TUTTI_FETCH_DEPENDENCIES=ON, give
#     -DTUTTI_<NAME>_ARCHIVE=path-or-address -DTUTTI_<NAME>_SHA256=hash
# of the upstream project's source archive. Nothing is fetched without a hash, and nothing without being asked for.
#
#   NAME             upstream project          version it is written against
#   XSIMD            xtensor-stack/xsimd       8.1.0 or later
#   CONCURRENTQUEUE  cameron314/concurrentqueue  1.0.3
#   JSON             nlohmann/json             3.11.2
#   CLI11            CLIUtils/CLI11            2.1.2
#   DOCTEST          doctest/doctest           2.4.9
include_guard()
include(TuttiFind)

tutti_find(NAME xsimd HEADER xsimd/xsimd.hpp PACKAGE libxsimd-dev)
tutti_find(NAME concurrentqueue HEADER concurrentqueue/concurrentqueue.h PACKAGE libconcurrentqueue-dev)
tutti_find(NAME json HEADER nlohmann/json.hpp PACKAGE nlohmann-json3-dev)
if(TUTTI_XSIMD_FOUND)
    file(STRINGS "${TUTTI_XSIMD_INCLUDE_DIR}/xsimd/config/xsimd_config.hpp" version REGEX "define XSIMD_VERSION_M[A-Z]+ [0-9]+")
    string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*" "\\1.\\2" version "${version}")
    if(version VERSION_LESS 8.1)
        message(FATAL_ERROR "xsimd ${version} at ${TUTTI_XSIMD_INCLUDE_DIR} is too old; nothing was configured; 8.1 or later is needed")
    endif()
endif()
foreach(name IN ITEMS XSIMD CONCURRENTQUEUE JSON)
    if(NOT TUTTI_${name}_FOUND)
        message(FATAL_ERROR "the core needs what is missing here: ${TUTTI_${name}_WHY}; nothing was configured; "
                            "install it and try again")
    endif()
endforeach()
