# SPDX-License-Identifier: MIT
"""Faust: the voice compiled to C++ with our own architecture file, for this machine and with fast math."""

import re
import subprocess
from pathlib import Path

from .measure import Failed, Row
from .tools import build, compiler, found, text_of

PACKAGES = ["faust", "clang"]
HERE = Path(__file__).parent
FLAGS = ["-std=c++17", "-O3", "-march=native", "-ffast-math"]


def version():
    if not found("faust"):
        return None
    match = re.search(r"(\d+\.\d+\.\d+)", text_of(["faust", "--version"]))
    return match.group(1) if match else "unknown"


def program(folder, process, options=()):
    cpp = folder / ("faust-" + process + "".join(options) + ".cpp")
    done = subprocess.run(
        ["faust", "-pn", process, *options, "-a", str(HERE / "faust_main.cpp"), str(HERE / "saw_voice.dsp"), "-o", str(cpp)],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise Failed("faust: " + done.stderr.decode("utf-8", "replace").strip().splitlines()[0][:160])
    return build(folder, cpp, FLAGS, with_compiler=compiler("clang++", "g++"))


def rows(folder):
    known = version()
    if known is None:
        return None

    def row(key, text, process, options=()):
        path = program(folder, process, options)
        return Row(key, "Faust", text, 1000, lambda seconds: [path, "1000", f"{seconds:g}"], known, note=" ".join([compiler("clang++", "g++"), *FLAGS[1:]]))

    return [
        row("faust", "os.sawtooth, fi.resonlp", "process"),
        row("faust-vec", "os.sawtooth, fi.resonlp, -vec -vs 64", "process", ("-vec", "-vs", "64")),
        row("faust-sweep", "os.sawtooth, fi.svf.lp, cutoff by envelope", "sweep"),
    ]


def alias_raw(folder, hz):
    """Three seconds of the bare saw as raw floats."""
    out = folder / "faust-saw.f32"
    subprocess.run([program(folder, "bare"), "1", "3", str(out), f"{hz:.9g}"], capture_output=True, check=True)
    return out
