# SPDX-License-Identifier: MIT
"""Our own voice as a bare loop (profiling/probe.cpp), once an instruction set: the ceiling for the engine on this machine."""

import json
import re
from pathlib import Path

from .measure import Row, run
from .python_env import ROOT
from .tools import build, text_of

SOURCE = ROOT / "profiling" / "probe.cpp"
COMMON = [f"-I{ROOT}", "-std=c++20", "-O3", "-ffp-contract=off", "-fno-math-errno"]
SETS = {  # name -> (flags, what /proc/cpuinfo must list)
    "avx512": (["-march=x86-64-v4", "-mprefer-vector-width=512"], {"avx512f", "avx512dq", "avx512bw", "avx512vl"}),
    "avx2": (["-march=x86-64-v3"], {"avx2", "fma"}),
    "sse2": (["-march=x86-64"], {"sse2"}),
}


def supported():
    match = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    flags = set(match.group(1).split()) if match else set()
    return [name for name, (_, needed) in SETS.items() if needed <= flags]


def program(folder, name):
    return build(folder, SOURCE, COMMON + SETS[name][0])


def rows(folder):
    version = text_of(["g++", "-dumpfullversion"]).strip()
    result = []
    for name in supported():
        path = program(folder, name)
        for key, voices, extra, text in (
            ("", 4096, [], "saw, SVF"),
            ("-sweep", 4096, ["--cutoff-envelope"], "saw, SVF, cutoff by envelope"),
            ("-131072", 131072, [], "saw, SVF"),
        ):
            if key == "-131072" and name == "sse2":
                continue

            def command(seconds, path=path, voices=voices, extra=extra):
                return [path, "--voices", str(voices), "--seconds", f"{seconds:g}", *extra]

            result.append(Row(f"bare-{name}{key}", f"bare loop, {name}", text, voices, command, f"g++ {version}"))
    return result


def variants(folder, seconds=2.0):
    """Every filter form and number of groups, for the kernel's author."""
    found = []
    for name in supported():
        text = run([program(folder, name), "--all", "--seconds", f"{seconds:g}"], {0}, {})[2]
        found += [dict(json.loads(line), isa=name) for line in text.splitlines() if line.startswith("{")]
    return found


def clock_ghz(folder):
    return json.loads(run([program(folder, "sse2"), "--clock"], {0}, {})[2])["ghz"]


def same_bits(variants):
    """The sum is defined over slots, so every build with fma and every number of groups must give the same samples."""
    sums = {}
    for v in variants:
        if v["isa"] != "sse2":  # no fma: other bits by design
            sums.setdefault((v["form"], v["cutoff_envelope"]), set()).add(v["checksum"])
    if not sums:
        return "Bits were not compared: this machine has no instruction set with fma."
    if all(len(s) == 1 for s in sums.values()):
        return "AVX2 and AVX-512, any number of groups: the same bits for each filter form."
    return "BITS DIFFER between instruction sets or numbers of groups: " + ", ".join(f"{k}: {len(s)}" for k, s in sums.items() if len(s) > 1)
