# SPDX-License-Identifier: MIT
# An overlay port that builds the source tree it stands in; not published:
#     vcpkg install tutti --overlay-ports=cmake/packaging/vcpkg
get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../../.." ABSOLUTE)
string(COMPARE EQUAL "${VCPKG_LIBRARY_LINKAGE}" "dynamic" shared)
vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DTUTTI_SHARED=${shared}
        -DTUTTI_BUILD_IO=OFF
        -DTUTTI_BUILD_CLI=OFF
        -DTUTTI_BUILD_MODELS=OFF
        -DTUTTI_BUILD_PLUGIN=OFF
        -DTUTTI_BUILD_EXAMPLES=OFF
        -DTUTTI_BUILD_PROFILING=OFF
        -DTUTTI_BUILD_TESTS=OFF
        -DTUTTI_INSTALL=ON
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/tutti)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
