#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fetches libtorch for the torch backend: the wheel torch 2.11.0 from the package index (530 MB, pinned by its SHA-256), of which the
headers and the CPU libraries are unpacked.

    fetch_torch.py [FOLDER]      default: build/torch-2.11.0 of this checkout, where CMake looks

The wheel's CPU library names two libraries of CUDA that a machine without a GPU has not got; stand-ins that answer "no device" are
compiled beside it. Where an NVIDIA driver is, use the Python package's own folder instead: -DTUTTI_TORCH_ROOT=.../site-packages/torch.
Exit code 3: there was no network, or no pip; nothing was left behind.
"""
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

VERSION = "2.11.0"
# [machine]: the wheel's file, its SHA-256
WHEELS = {
    "x86_64": ("manylinux_2_28_x86_64", "7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a"),
}
LIBRARIES = ("torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libgomp.so.1")


def say(text):
    print(f"torch: {text}", file=sys.stderr, flush=True)


def stop(text):
    say(text)
    sys.exit(3)


def pip():
    """The command of a pip that works: this Python's own, or one in a folder that goes away."""
    own = [sys.executable, "-m", "pip"]
    if subprocess.run([*own, "--version"], capture_output=True).returncode == 0:
        return own, None
    folder = tempfile.mkdtemp()
    if subprocess.run([sys.executable, "-m", "venv", folder], capture_output=True).returncode != 0:
        shutil.rmtree(folder)
        stop("skipped: this Python has neither pip nor venv (Debian: python3-venv)")
    return [str(Path(folder) / "bin" / "python"), "-m", "pip"], folder


def fetch(into, tag, digest):
    command, folder = pip()
    requirement = into / "requirement.txt"
    requirement.write_text(f"torch=={VERSION} --hash=sha256:{digest}\n")
    run = subprocess.run([*command, "download", "--quiet", "--disable-pip-version-check", "--timeout", "20", "--retries", "1",
                          "--no-deps", "--require-hashes",
                          "--only-binary=:all:", "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311",
                          "--platform", tag, "-d", into, "-r", requirement], capture_output=True, text=True)
    if folder:
        shutil.rmtree(folder)
    found = list(into.glob("torch-*.whl"))
    if run.returncode != 0 or not found:
        lines = (run.stderr.strip() or run.stdout.strip() or "pip said nothing").splitlines()
        stop("skipped: the wheel could not be fetched: " + lines[-1])
    return found[0]  # its hash is what pip was told to require


def stand_ins(folder):
    """libcudart and libcupti as far as the CPU library names them: every call answers 35, no usable driver."""
    listing = subprocess.run(["nm", "-D", "--undefined-only", folder / "libtorch_cpu.so"], capture_output=True, text=True, check=True).stdout
    names = {}
    for name, library in re.findall(r" U (\w+)@(lib(?:cudart|cupti)\.so\.\d+)", listing):
        names.setdefault(library, []).append(name)
    for library, symbols in names.items():
        with tempfile.TemporaryDirectory() as work:
            source, script = Path(work, "a.c"), Path(work, "a.map")
            source.write_text("".join(f"int {s}(void) {{ return 35; }}\n" for s in sorted(symbols)))
            script.write_text(f"{library} {{ global: *; }};\n")
            subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-w", f"-Wl,-soname,{library}",
                            f"-Wl,--version-script={script}", "-o", folder / library, source], check=True)


def main():
    root = Path(__file__).resolve().parent.parent
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else root / "build" / f"torch-{VERSION}"
    if (target / ".whole").exists():
        return
    machine = platform.machine()
    if sys.platform != "linux" or machine not in WHEELS:
        stop(f"skipped: no wheel is pinned for {sys.platform} on {machine}; give CMake TUTTI_TORCH_ROOT")
    tag, digest = WHEELS[machine]
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the place, then moved there: what is interrupted leaves nothing that looks whole.
    work = Path(tempfile.mkdtemp(prefix=".torch-", dir=target.parent))
    try:
        say(f"will fetch torch {VERSION} (530 MB) and unpack its headers and CPU libraries into {target}")
        wheel = fetch(work, tag, digest)
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                header = name.startswith("torch/include/")
                if header or name in LIBRARIES:
                    archive.extract(name, work / "all")
        wheel.unlink()
        stand_ins(work / "all" / "torch" / "lib")
        (work / "all" / "torch" / ".whole").write_text(VERSION + "\n")
        shutil.rmtree(target, ignore_errors=True)
        (work / "all" / "torch").rename(target)
        say("fetched")
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
