# SPDX-License-Identifier: MIT
"""Csound, rendering a generated .csd with no sound output."""

import re
import subprocess

from . import work
from .measure import Row
from .tools import found, text_of

PACKAGES = ["csound"]

FILTERS = {
    "lowpass2": f"af lowpass2 as, p5, {work.RESONANCE:g}",
    "rbjeq": f"af rbjeq as, p5, 1, {work.RESONANCE:g}, 1, 0",
    "zdf_2pole": f"af zdf_2pole as, p5, {work.RESONANCE:g}",
    "moogladder": "af moogladder as, p5, 0.5",
}


def version():
    if not found("csound"):
        return None
    match = re.search(r"version (\d+\.\d+)", text_of(["csound", "--version"]))
    return match.group(1) if match else "unknown"


def document(folder, voices, seconds, filter_name, block):
    path = folder / f"csound-{filter_name}-{voices}-{seconds:g}-{block}.csd"
    if path.exists():
        return str(path)
    lines = [
        "<CsoundSynthesizer>\n<CsOptions>\n-n -m0 -d\n</CsOptions>\n<CsInstruments>",
        f"sr = {work.RATE}\nksmps = {block}\nnchnls = 1\n0dbfs = 1",
        "instr 1\n  ae madsr 0.01, 0.2, 0.7, 0.3\n  as vco2 p6, p4",
        f"  {FILTERS[filter_name]}\n  out af * ae\nendin\n</CsInstruments>\n<CsScore>",
    ]
    for voice in range(voices):
        values = (work.frequency(voice), work.cutoff(voice), work.gain(voices))
        lines.append(f"i 1 0 {seconds:g} " + " ".join(f"{value:.9g}" for value in values))
    lines.append("e\n</CsScore>\n</CsoundSynthesizer>\n")
    path.write_text("\n".join(lines))
    return str(path)


def rows(folder):
    known = version()
    if known is None:
        return None

    def row(key, voices, filter_name, block=64, threads=1):
        def command(seconds):
            return ["csound", f"-j{threads}", document(folder, voices, seconds, filter_name, block)]

        return Row(key, "Csound", f"vco2, {filter_name}", voices, command, known, block, threads)

    return [
        row("csound", 800, "lowpass2"),
        row("csound-rbjeq", 800, "rbjeq"),
        row("csound-256", 800, "lowpass2", block=256),
        row("csound-2", 800, "lowpass2", threads=2),
        row("csound-zdf", 800, "zdf_2pole"),
        row("csound-moogladder", 100, "moogladder"),
    ]


def alias_wav(folder, hz):
    path, out = folder / "csound-saw.csd", folder / "csound-saw.wav"
    path.write_text(
        f"""<CsoundSynthesizer>
<CsOptions>
-o {out} -W -f -m0 -d
</CsOptions>
<CsInstruments>
sr = {work.RATE}
ksmps = 64
nchnls = 1
0dbfs = 1
instr 1
  as vco2 0.5, p4
  out as
endin
</CsInstruments>
<CsScore>
i 1 0 3 {hz:.9g}
e
</CsScore>
</CsoundSynthesizer>
"""
    )
    subprocess.run(["csound", str(path)], capture_output=True, check=True)
    return out
