#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs the library, moves the tree, and builds and runs what users write against it.

usage: install_test.py static|shared --source ROOT --build FOLDER --scratch FOLDER --config Release

static: the build at hand is installed; consumers use find_package, and plain Make with pkg-config.
shared: a consumer takes the source by add_subdirectory, as a shared library; that is installed in turn for the same two.
Every step is a line; the exit code is 1 at the first that fails.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["static", "shared"])
    for name in ("source", "build", "scratch", "config"):
        parser.add_argument("--" + name, required=True)
    a = parser.parse_args()
    scratch = pathlib.Path(a.scratch) / a.kind
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    if a.kind == "static":
        use(install_and_move(a.build, a.config, scratch), scratch, a.config, False)
        return
    folder = scratch / "subdirectory"
    launcher = [f"-DCMAKE_{language}_COMPILER_LAUNCHER=ccache" for language in ("C", "CXX") if shutil.which("ccache")]
    run("add_subdirectory: configure", ["cmake", "-S", HERE / "subdirectory", "-B", folder, "-G", "Ninja", f"-DCMAKE_BUILD_TYPE={a.config}",
                                        f"-DTUTTI_SOURCE={a.source}", "-DTUTTI_SHARED=ON", "-DTUTTI_INSTALL=ON", *launcher])
    run("add_subdirectory: build", ["cmake", "--build", folder])
    run("add_subdirectory: run", [folder / "note"])
    symbols(use(install_and_move(folder, a.config, scratch), scratch, a.config, True))


if __name__ == "__main__":
    main()
