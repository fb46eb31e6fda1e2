#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs the library, moves the tree, and builds and runs what users write against it.

usage: install_test.py static|shared|archives --source ROOT --build FOLDER --scratch FOLDER --config Release

static: the build at hand is installed; consumers use find_package, and plain Make with pkg-config.
shared: a consumer takes the source by add_subdirectory, as a shared library; that is installed in turn for the same two.
archives: header-only libraries come from archives with a hash, laid out as their upstream projects do, and not without one.
Every step is a line; the exit code is 1 at the first that fails.
"""
import argparse
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).parent / "consumers"
SYSTEM = re.compile(r"(linux-vdso|libc|libm|libstdc\+\+|libgcc_s|libpthread|ld-linux[\w-]*|libtutti)\.")


def run(what, command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    if done.returncode:
        sys.exit(f"FAILED {what}: {' '.join(map(str, command))}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    print(f"ok  {what}")
    return done.stdout


def expect(what, truth, found=""):
    if not truth:
        sys.exit(f"FAILED {what}: {found}")
    print(f"ok  {what}")


def install_and_move(build, config, scratch):
    """The tree is used from another place than it was installed to."""
    run("install", ["cmake", "--install", build, "--config", config, "--prefix", scratch / "first place"])
    moved = scratch / "second place"
    (scratch / "first place").rename(moved)
    config_file = next(moved.glob("**/tuttiConfig.cmake"))
    for file in [*config_file.parent.glob("*.cmake"), *moved.glob("**/*.pc")]:
        text = file.read_text()
        expect(f"{file.name} names no place of the build", str(scratch) not in text and str(build) not in text, text)
    return moved


def loaded(program, env):
    return [line.split()[0] for line in run("ldd", ["ldd", program], env=env).splitlines()]


def use(moved, scratch, config, shared):
    library = next(p.parent for p in moved.glob("**/libtutti.*"))
    env = {**os.environ, "LC_ALL": "C"}
    if shared:
        env["LD_LIBRARY_PATH"] = str(library)

    folder = scratch / "find_package"
    run("find_package: configure", ["cmake", "-S", HERE / "find_package", "-B", folder, "-G", "Ninja", f"-DCMAKE_BUILD_TYPE={config}",
                                    f"-DCMAKE_PREFIX_PATH={moved}"])
    run("find_package: build", ["cmake", "--build", folder])
    run("find_package: run", [folder / "note"], env=env)
    names = loaded(folder / "note", env)
    expect("nothing but the system's own libraries is loaded", all(SYSTEM.match(n.split("/")[-1]) for n in names), names)
    expect("the library is linked as it was built", any("libtutti" in n for n in names) == shared, names)

    if (moved / "include" / "tutti-io").is_dir():
        folder = scratch / "io"
        run("component io: configure", ["cmake", "-S", HERE / "io", "-B", folder, "-G", "Ninja", f"-DCMAKE_BUILD_TYPE={config}", f"-DCMAKE_PREFIX_PATH={moved}"])
        run("component io: build", ["cmake", "--build", folder])
        run("component io: run", [folder / "tone", folder / "tone.wav"], env=env)
        expect("component io: a sound file is written", (folder / "tone.wav").stat().st_size > 48000)

    # pkg-config escapes blanks for the shell; the folder's name has one.
    env["PKG_CONFIG_PATH"] = str(library / "pkgconfig")
    folder = scratch / "make"
    folder.mkdir()
    run("pkg-config: make", ["make", "-f", HERE / "make" / "Makefile", f"SOURCE={HERE / 'note.cpp'}", "note"], cwd=folder, env=env)
    run("pkg-config: run", [folder / "note"], env=env)
    return library


def symbols(library):
    file = library / "libtutti.so"
    name = run("readelf", ["readelf", "-d", file])
    version = re.search(r"SONAME.*\[libtutti\.so\.(\d+\.\d+)\]", name)
    expect("the soname carries major and minor version", version is not None, name)
    # Strong symbols only: templates of the standard library come out weak whatever we do.
    listed = run("nm", ["nm", "-D", "--defined-only", file]).splitlines()
    foreign = [line for line in listed if line.split()[-2] in "TDBR" and "tutti" not in line.split()[-1]]
    expect("no symbol leaves the library but ours", not foreign, foreign[:5])
    expect("our symbols leave it", any("tutti" in line for line in listed), listed)


def symbol_controls(scratch):
    """A library that lets a foreign symbol out must be refused."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=scratch))
    (folder / "a.cpp").write_text("int tutti_ours = 1;\nint foreign = 2;\n")
    run("planted library", ["c++", "-shared", "-fPIC", folder / "a.cpp", "-Wl,-soname,libtutti.so.0.1", "-o", folder / "libtutti.so"])
    try:
        symbols(folder)
    except SystemExit as fault:
        expect("a planted foreign symbol is named", "foreign" in str(fault), fault)
        return
    sys.exit("FAILED a planted foreign symbol was not seen")


def archives(source, scratch):
    system = pathlib.Path("/usr/include")
    layouts = {"XSIMD": ("xsimd", "include/xsimd"), "CONCURRENTQUEUE": ("concurrentqueue", "."), "JSON": ("nlohmann", "include/nlohmann")}
    given = ["-DTUTTI_FETCH_DEPENDENCIES=ON"]
    for name, (have, want) in layouts.items():
        if not (system / have).is_dir():
            print(f"SKIP: {have} is not among the system's headers, so no archive can be made of it")
            sys.exit(77)
        file = scratch / f"{name.lower()}.tar.gz"
        with tarfile.open(file, "w:gz") as archive:
            archive.add(system / have, f"{have}-1/{want}")
        given += [f"-DTUTTI_{name}_ARCHIVE={file}", f"-DTUTTI_{name}_SHA256={hashlib.sha256(file.read_bytes()).hexdigest()}"]
    core = ["cmake", "-G", "Ninja", "-DTUTTI_BUILD_TESTS=OFF", *(f"-DTUTTI_BUILD_{room}=OFF" for room in ("IO", "MODELS", "CLI", "EXAMPLES", "PROFILING"))]
    folder = scratch / "archives"
    run("archives with hashes: configure", [*core, "-S", source, "-B", folder, *given])
    cache = (folder / "CMakeCache.txt").read_text()
    places = re.findall(r"TUTTI_(?:XSIMD|CONCURRENTQUEUE|JSON)_INCLUDE_DIR:PATH=(.*)", cache)
    expect("the headers are the archives'", len(places) == 3 and all(p.startswith(str(folder)) for p in places), places)
    for header in ("xsimd/xsimd.hpp", "concurrentqueue/concurrentqueue.h", "nlohmann/json.hpp"):
        text = f"#include <{header}>\n"
        run(f"<{header}> is spelt as ever", ["c++", "-std=c++20", "-fsyntax-only", "-x", "c++", *(f"-I{p}" for p in places), "-"], input=text)
    for what, arguments in {
        "a wrong hash is refused": [*given[:-1], "-DTUTTI_JSON_SHA256=" + "0" * 64],
        "an archive without a hash is refused": given[:-1],
    }.items():
        done = subprocess.run([str(c) for c in [*core, "-S", source, "-B", scratch / what.replace(" ", "_"), *arguments]], capture_output=True, text=True)
        expect(what, done.returncode != 0 and re.search("SHA256|hash", done.stderr), done.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["static", "shared", "archives"])
    for name in ("source", "build", "scratch", "config"):
        parser.add_argument("--" + name, required=True)
    a = parser.parse_args()
    scratch = pathlib.Path(a.scratch) / a.kind
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    if a.kind == "static":
        use(install_and_move(a.build, a.config, scratch), scratch, a.config, False)
        return
    if a.kind == "archives":
        archives(a.source, scratch)
        return
    symbol_controls(scratch)
    folder = scratch / "subdirectory"
    launcher = [f"-DCMAKE_{language}_COMPILER_LAUNCHER=ccache" for language in ("C", "CXX") if shutil.which("ccache")]
    run("add_subdirectory: configure", ["cmake", "-S", HERE / "subdirectory", "-B", folder, "-G", "Ninja", f"-DCMAKE_BUILD_TYPE={a.config}",
                                        f"-DTUTTI_SOURCE={a.source}", "-DTUTTI_SHARED=ON", "-DTUTTI_INSTALL=ON", *launcher])
    run("add_subdirectory: build", ["cmake", "--build", folder])
    run("add_subdirectory: run", [folder / "note"])
    symbols(use(install_and_move(folder, a.config, scratch), scratch, a.config, True))


if __name__ == "__main__":
    main()
