#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs the library, moves the tree, and builds and runs what users write against it.

usage: install_test.py static|shared|archives|packages --source ROOT --build FOLDER --scratch FOLDER --config Release

static: the build at hand is installed; consumers use find_package from C and C++, every room, and plain Make with pkg-config.
shared: a consumer takes the source by add_subdirectory, as a shared library; that is installed in turn for the same ones.
fetch: a consumer takes the source as an archive with its hash.
packages: the build at hand as .tar.gz and .deb, unpacked to a clean prefix and used from there; the recipes for others' package
managers hold what they must.
archives: header-only libraries come from archives with a hash, laid out as their upstream projects do, and not without one.
Every step is a line; the exit code is 1 at the first that fails.
"""
import argparse
import hashlib
import json
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


def use(source, moved, scratch, config, shared):
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
    folder = scratch / "c"
    run("find_package from C: configure", ["cmake", "-S", HERE / "c", "-B", folder, "-G", "Ninja", f"-DCMAKE_BUILD_TYPE={config}",
                                           f"-DCMAKE_PREFIX_PATH={moved}"])
    run("find_package from C: build", ["cmake", "--build", folder])
    run("find_package from C: run", [folder / "note_c"], env=env)
    folder = scratch / "voice"
    run("a voice type of one's own: configure", ["cmake", "-S", HERE / "voice", "-B", folder, "-G", "Ninja", f"-DCMAKE_BUILD_TYPE={config}",
                                                  f"-DCMAKE_PREFIX_PATH={moved}", f"-DEXAMPLE={source / 'examples/custom_voice'}"])
    run("a voice type of one's own: build", ["cmake", "--build", folder])
    said = run("a voice type of one's own: run", [folder / "voice"], env=env)
    expect("a voice type of one's own: its parameters are listed", "fold_env" in said, said)
    rooms = [room for room in ("io", "models", "gpu") if list(moved.glob(f"**/tutti-{room}.cmake"))]
    if rooms:
        folder = scratch / "rooms"
        run(f"rooms {rooms}: configure", ["cmake", "-S", HERE / "rooms", "-B", folder, "-G", "Ninja", f"-DCMAKE_BUILD_TYPE={config}",
                                          f"-DCMAKE_PREFIX_PATH={moved}", f"-DROOMS={';'.join(rooms)}"])
        run(f"rooms {rooms}: build", ["cmake", "--build", folder])
        run(f"rooms {rooms}: run", [folder / "rooms"], env=env, cwd=scratch)

    # pkg-config escapes blanks for the shell; the folder's name has one.
    env["PKG_CONFIG_PATH"] = str(library / "pkgconfig")
    folder = scratch / "make"
    folder.mkdir()
    run("pkg-config: make", ["make", "-f", HERE / "make" / "Makefile", f"SOURCE={HERE / 'note.cpp'}", "note"], cwd=folder, env=env)
    run("pkg-config: run", [folder / "note"], env=env)
    run("pkg-config from C: make", ["make", "-f", HERE / "make" / "Makefile", f"SOURCE={HERE / 'note.c'}", "note_c"], cwd=folder, env=env)
    run("pkg-config from C: run", [folder / "note_c"], env=env)
    return library


def torch(moved, scratch):
    """The torch backend is found beside the moved program, finds libtorch, and says what is wrong where it does not."""
    library = moved / "lib/tutti/libtutti_torch.so"
    if not library.exists():
        print("--  this build has no torch backend")
        return
    env = {k: v for k, v in os.environ.items() if k not in ("TUTTI_TORCH_LIBRARY", "LD_LIBRARY_PATH")}
    path = run("torch: readelf", ["readelf", "-d", library])
    path = "".join(line for line in path.splitlines() if "RUNPATH" in line or "RPATH" in line)
    expect("torch: libtorch is looked for beside it, and where the build had it", "$ORIGIN" in path and "/lib" in path, path)
    sound = scratch / "note.wav"
    run("torch: a note", [moved / "bin/tutti", "phrase", "C", "--seconds", "1", "-o", sound], env=env)
    fit = [moved / "bin/tutti", "fit", sound, "--note", "60", "--steps", "2", "--parameters", "cutoff", "-o", scratch / "fitted.json"]
    run("torch: fit with the installed library", fit, env=env)
    for what, text in (("a broken library", "cannot be loaded"), ("no library", "TUTTI_TORCH_LIBRARY")):
        library.unlink()
        if what == "a broken library":
            library.write_text("no library")
        done = subprocess.run([str(c) for c in fit], capture_output=True, text=True, env=env)
        expect(f"torch: {what} is said", done.returncode != 0 and text in done.stderr, done.stderr)


def packages(build, config, scratch):
    """What cpack makes of a build, from a clean prefix; it must name no place of the build."""
    made = scratch / "made"
    run("cpack", ["cpack", "-G", "TGZ;DEB", "-C", config, "-B", made], cwd=build)
    for kind, pattern in (("tar.gz", "*.tar.gz"), ("deb", "*.deb")):
        file = next(made.glob(pattern))
        place = scratch / kind
        place.mkdir()
        if kind == "deb":
            run("dpkg-deb: unpack", ["dpkg-deb", "-x", file, place])
            fields = run("dpkg-deb: fields", ["dpkg-deb", "-f", file])
            expect("the package depends on what it is linked to", "Depends: " in fields and "libc6" in fields, fields)
        else:
            run("tar: unpack", ["tar", "-xzf", file, "-C", place])
        root = next(place.glob("**/include/tutti/tutti.h")).parents[2]
        expect(f"{kind}: the torch backend is left out", not list(place.glob("**/libtutti_torch*")))
        config_file = next(place.glob("**/tuttiConfig.cmake"))
        for text in config_file.parent.glob("*.cmake"):
            expect(f"{kind}: {text.name} names no place of the build", str(build) not in text.read_text())
        folder = scratch / f"c from {kind}"
        run(f"{kind}: configure", ["cmake", "-S", HERE / "c", "-B", folder, "-G", "Ninja", f"-DCMAKE_BUILD_TYPE={config}", f"-DCMAKE_PREFIX_PATH={root}"])
        run(f"{kind}: build", ["cmake", "--build", folder])
        env = {**os.environ, "LD_LIBRARY_PATH": str(next(place.glob("**/libtutti.*")).parent)}
        run(f"{kind}: run", [folder / "note_c"], env=env)


def recipes(source):
    """Recipes that nobody here can run are at least true: the version, the dependencies that CMake asks for, real options."""
    version = (source / "VERSION").read_text().strip()
    port = json.loads((source / "cmake/packaging/vcpkg/vcpkg.json").read_text())
    expect("vcpkg.json has the version", port["version"] == version, port)
    names = {d if isinstance(d, str) else d["name"] for d in port["dependencies"]}
    expect("vcpkg.json has the core's dependencies", {"xsimd", "concurrentqueue", "nlohmann-json"} <= names, names)
    conan = (source / "cmake/packaging/conan/conanfile.py").read_text()
    compile(conan, "conanfile.py", "exec")
    known = "".join(p.read_text() for p in [source / "CMakeLists.txt", *(source / "cmake").glob("*.cmake")])
    for text in (conan.replace('f"TUTTI_BUILD_{room}"', '"TUTTI_BUILD_IO"'), (source / "cmake/packaging/vcpkg/portfile.cmake").read_text()):
        for option in set(re.findall(r"TUTTI_(?:BUILD_\w+|SHARED\b|INSTALL)", text)):
            expect(f"{option} is an option", re.search(rf"(?:set|option)\({option}\b", known), option)


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


def fetch(source, scratch, config):
    file = scratch / "tutti.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        for name in ("VERSION", "LICENSE", "README.md", "CMakeLists.txt", "cmake", "include", "dsp", "voices", "engine", "patches", "music"):
            archive.add(source / name, f"tutti-1/{name}")
    folder = scratch / "fetch"
    launcher = [f"-DCMAKE_{language}_COMPILER_LAUNCHER=ccache" for language in ("C", "CXX") if shutil.which("ccache")]
    run("FetchContent: configure", ["cmake", "-S", HERE / "fetch", "-B", folder, "-G", "Ninja", f"-DCMAKE_BUILD_TYPE={config}", *launcher,
                                    f"-DTUTTI_ARCHIVE={file}", f"-DTUTTI_SHA256={hashlib.sha256(file.read_bytes()).hexdigest()}"])
    run("FetchContent: build", ["cmake", "--build", folder])
    run("FetchContent: run", [folder / "note"])
    run("FetchContent: run from C", [folder / "note_c"])


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
    parser.add_argument("kind", choices=["static", "shared", "fetch", "archives", "packages"])
    for name in ("source", "build", "scratch", "config"):
        parser.add_argument("--" + name, required=True)
    a = parser.parse_args()
    scratch = pathlib.Path(a.scratch) / a.kind
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    if a.kind == "static":
        moved = install_and_move(a.build, a.config, scratch)
        use(pathlib.Path(a.source), moved, scratch, a.config, False)
        torch(moved, scratch)
        return
    if a.kind == "packages":
        recipes(pathlib.Path(a.source))
        packages(a.build, a.config, scratch)
        return
    if a.kind == "fetch":
        fetch(pathlib.Path(a.source), scratch, a.config)
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
    symbols(use(pathlib.Path(a.source), install_and_move(folder, a.config, scratch), scratch, a.config, True))


if __name__ == "__main__":
    main()
