# SPDX-License-Identifier: MIT
# Install rules, the CMake package with its components and the pkg-config file. Included last: it installs the targets
# that are there.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(place "${CMAKE_INSTALL_LIBDIR}/cmake/tutti")

# One export file a component, so that a user of the engine alone needs nothing of the others.
function(tutti_install_component component)
    install(TARGETS ${ARGN} EXPORT tutti-${component}
            RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT ${component}
            LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT ${component}
            ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT ${component})
    install(EXPORT tutti-${component} NAMESPACE tutti:: DESTINATION "${place}" COMPONENT ${component}
            FILE tutti-${component}.cmake)
endfunction()

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/tutti" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT engine
        FILES_MATCHING PATTERN "*.h")
# What a voice type of the user's is compiled against: recurrences and the loop around them.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/dsp" "${PROJECT_SOURCE_DIR}/voices" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tutti-voices" COMPONENT engine
        FILES_MATCHING PATTERN "*.h")
foreach(header IN ITEMS backend.h core/voice_types.h cpu/added_voice.inl cpu/chunk.h cpu/kernel.h memory/memory.h)
    get_filename_component(folder "${header}" DIRECTORY)
    install(FILES "${PROJECT_SOURCE_DIR}/engine/${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tutti-voices/engine/${folder}" COMPONENT engine)
endforeach()
tutti_install_component(engine tutti tutti_voice_headers)
tutti_install_component(c tutti_c)
# Rooms that need others' libraries: their headers as they are spelt here, each room's below a folder of its own.
if(TARGET tutti_io)
    foreach(header IN ITEMS alias audio_device audio_file clip_file midi_clock midi_port plot)
        install(FILES "${PROJECT_SOURCE_DIR}/io/${header}.h" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tutti-io/io" COMPONENT io)
    endforeach()
    tutti_install_component(io tutti_io)
endif()
if(TARGET tutti_gpu)
    foreach(header IN ITEMS backend/device_backend batch/voice_batch device/device discovery tuning/tuning)
        get_filename_component(folder "gpu/${header}" DIRECTORY)
        install(FILES "${PROJECT_SOURCE_DIR}/gpu/${header}.h" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tutti-gpu/${folder}" COMPONENT gpu)
    endforeach()
    tutti_install_component(gpu tutti_gpu)
endif()
if(TARGET tutti_torch)
    # Where the program looks (gpu/torch/library.cpp). It finds libtorch where this build found it.
    set_target_properties(tutti_torch PROPERTIES INSTALL_RPATH "$ORIGIN" INSTALL_RPATH_USE_LINK_PATH ON)
    install(TARGETS tutti_torch LIBRARY DESTINATION lib/tutti COMPONENT torch)
endif()
if(TARGET tutti_models)
    install(DIRECTORY "${PROJECT_SOURCE_DIR}/models" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tutti-models" COMPONENT models
            FILES_MATCHING PATTERN "*.h" PATTERN "tools" EXCLUDE PATTERN "parity" EXCLUDE)
    tutti_install_component(models tutti_models)
endif()
if(TARGET tutti_cli)
    install(TARGETS tutti_cli RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT cli)
endif()
foreach(folder IN ITEMS patches music)
    if(IS_DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}")
        install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}" DESTINATION "${CMAKE_INSTALL_DATADIR}/tutti" COMPONENT data
                FILES_MATCHING PATTERN "*.json" PATTERN "*.mid")
    endif()
endforeach()
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT engine)

foreach(room IN ITEMS io models)
    set(TUTTI_NEEDS_${room} "")
    if(TARGET tutti_${room})
        get_target_property(libraries tutti_${room} LINK_LIBRARIES)
        foreach(library IN LISTS libraries)
            string(REGEX REPLACE "^tutti_" "" name "${library}")
            get_property(words GLOBAL PROPERTY TUTTI_DEPENDENCY_${name})
            list(APPEND TUTTI_NEEDS_${room} ${words})
        endforeach()
        string(REPLACE ";" " " TUTTI_NEEDS_${room} "${TUTTI_NEEDS_${room}}")
    endif()
endforeach()
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/tuttiConfig.cmake.in" "${PROJECT_BINARY_DIR}/tuttiConfig.cmake"
                              INSTALL_DESTINATION "${place}" NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break what the one before promised.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/tuttiConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/tuttiConfig.cmake" "${PROJECT_BINARY_DIR}/tuttiConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/TuttiFind.cmake" "${PROJECT_SOURCE_DIR}/cmake/TuttiVoice.cmake" DESTINATION "${place}" COMPONENT engine)

# pkg-config finds the prefix from where the file stands, so the tree may be moved.
file(RELATIVE_PATH TUTTI_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" TUTTI_PC_PREFIX "${TUTTI_PC_PREFIX}")
if(TUTTI_SHARED)
    set(TUTTI_PC_CFLAGS "-DTUTTI_SHARED_LIBRARY")
    set(TUTTI_PC_PRIVATE "")
else()
    set(TUTTI_PC_CFLAGS "")
    set(TUTTI_PC_PRIVATE " -lstdc++ -lm ${CMAKE_THREAD_LIBS_INIT}")
endif()
configure_file("${PROJECT_SOURCE_DIR}/cmake/tutti.pc.in" "${PROJECT_BINARY_DIR}/tutti.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/tutti.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT engine)

# Archives and Debian packages: cpack -G "TGZ;DEB" in the build folder.
if(PROJECT_IS_TOP_LEVEL)
    set(CPACK_PACKAGE_NAME tutti)
    set(CPACK_PACKAGE_VENDOR "The Tutti authors")
    set(CPACK_PACKAGE_CONTACT "The Tutti authors <tutti@localhost>")
    set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
    set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
    set(CPACK_RESOURCE_FILE_README "${PROJECT_SOURCE_DIR}/README.md")
    set(CPACK_GENERATOR "TGZ;DEB")
    set(CPACK_PACKAGING_INSTALL_PREFIX "/usr")
    set(CPACK_STRIP_FILES ON)
    set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
    set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
    set(CPACK_DEBIAN_PACKAGE_DEPENDS "libc6-dev") # what its headers need; libraries are found by looking
    set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
    set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
    # All but the torch backend: it names the place where this machine keeps libtorch, which no package depends on.
    set(CPACK_INSTALL_CMAKE_PROJECTS "")
    foreach(component IN ITEMS engine c io gpu models cli data)
        list(APPEND CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};${PROJECT_NAME};${component};/")
    endforeach()
    include(CPack)
endif()
