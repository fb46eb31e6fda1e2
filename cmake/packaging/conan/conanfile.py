# SPDX-License-Identifier: MIT
"""Conan 2 recipe of the core, from the source tree that it stands in; not published:

    conan create cmake/packaging/conan --build=missing
"""
import os

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy


class TuttiRecipe(ConanFile):
    name = "tutti"
    license = "MIT"
    description = "Real-time audio synthesis engine: every voice of every stream in one batch"
    topics = ("audio", "synthesis", "real-time", "simd")
    settings = "os", "compiler", "build_type", "arch"
    options = {"shared": [True, False], "fPIC": [True, False]}
    default_options = {"shared": False, "fPIC": True}
    package_type = "library"

    @property
    def root(self):
        return os.path.abspath(os.path.join(self.recipe_folder, "..", "..", ".."))

    def set_version(self):
        with open(os.path.join(self.root, "VERSION"), encoding="utf-8") as file:
            self.version = file.readline().strip()

    def export_sources(self):
        for pattern in ("VERSION", "LICENSE", "README.md", "CMakeLists.txt", "cmake/*", "include/*", "dsp/*", "voices/*",
                        "engine/*", "patches/*", "music/*"):
            copy(self, pattern, self.root, self.export_sources_folder)

    def config_options(self):
        if self.settings.os == "Windows":
            del self.options.fPIC

    def requirements(self):
        self.requires("xsimd/[>=8.1.0 <14]")
        self.requires("concurrentqueue/[>=1.0.3]")
        self.requires("nlohmann_json/[>=3.11.2]")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.variables["TUTTI_SHARED"] = bool(self.options.shared)
        toolchain.variables["TUTTI_INSTALL"] = True
        for room in ("IO", "CLI", "MODELS", "EXAMPLES", "PROFILING", "TESTS"):
            toolchain.variables[f"TUTTI_BUILD_{room}"] = "OFF"
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        self.cpp_info.set_property("cmake_find_mode", "none")  # the installed tuttiConfig.cmake is used
        self.cpp_info.builddirs.append(os.path.join("lib", "cmake", "tutti"))
        self.cpp_info.libs = ["tutti"]
        if self.options.shared:
            self.cpp_info.defines.append("TUTTI_SHARED_LIBRARY")
        elif self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs.extend(["m", "pthread"])
