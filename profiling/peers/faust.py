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
FILTERS = {
    "fixed": "fi.resonlp(cutoff, 3, 1) :",
    "sweep": "fi.svf.lp(cutoff * (0.2 + level), 3) :",
    "none": "",
}


def version():
    if not found("faust"):
        return None
    match = re.search(r"(\d+\.\d+\.\d+)", text_of(["faust", "--version"]))
    return match.group(1) if match else "unknown"


def program(folder, filter_name, options=()):
    text = (HERE / "saw_voice.dsp").read_text()
    if filter_name == "none":  # the bare saw for the alias measurement
        text = text.replace("process = os.sawtooth(frequency) : FILTER * level * gain;", "process = os.sawtooth(frequency) * gain;")
    # The voice's gain and level multiply the filter's output.
    text = text.replace(": FILTER * level * gain", f": {FILTERS[filter_name]} *(level * gain)")
    name = "faust-" + filter_name + "".join(options).replace(" ", "")
    source, cpp = folder / f"{name}.dsp", folder / f"{name}.cpp"
    source.write_text(text)
    done = subprocess.run(
        ["faust", *options, "-a", str(HERE / "faust_main.cpp"), str(source), "-o", str(cpp)], capture_output=True, check=False
    )
    if done.returncode != 0:
        raise Failed("faust: " + done.stderr.decode("utf-8", "replace").strip().splitlines()[0][:160])
    return build(folder, cpp, FLAGS, with_compiler=compiler("clang++", "g++"))


def rows(folder):
    known = version()
    if known is None:
        return None

    def row(key, text, filter_name, options=()):
        path = program(folder, filter_name, options)
        return Row(key, "Faust", text, 1000, lambda seconds: [path, "1000", f"{seconds:g}"], known, note=" ".join([compiler("clang++", "g++"), *FLAGS[1:]]))

    return [
        row("faust", "os.sawtooth, fi.resonlp", "fixed"),
        row("faust-vec", "os.sawtooth, fi.resonlp, -vec -vs 64", "fixed", ("-vec", "-vs", "64")),
        row("faust-sweep", "os.sawtooth, fi.svf.lp, cutoff by envelope", "sweep"),
    ]


def alias_raw(folder, hz):
    """Three seconds of the bare saw as raw floats."""
    out = folder / "faust-saw.f32"
    subprocess.run([program(folder, "none"), "1", "3", str(out), f"{hz:.9g}"], capture_output=True, check=True)
    return out
