# SPDX-License-Identifier: MIT
"""FluidSynth: sample voices of the General MIDI bank, so another kind of voice; it stands here for its voice count."""

import json
from pathlib import Path

from .measure import Failed, Row, run
from .tools import build, compiler, package_version, text_of

PACKAGES = ["fluidsynth", "libfluidsynth-dev", "fluid-soundfont-gm"]
HERE = Path(__file__).parent
BANK = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")


def version():
    if not Path("/usr/include/fluidsynth.h").exists() or not BANK.exists():
        return None
    lines = [line for line in text_of(["fluidsynth", "--version"]).splitlines() if "runtime version" in line]
    return lines[0].split()[-1] if lines else (package_version("libfluidsynth-dev") or "unknown")


def rows(folder):
    known = version()
    if known is None:
        return None
    program = build(folder, HERE / "fluid_voices.c", ["-O2"], ["-lfluidsynth"], compiler("gcc", "clang"))

    def row(key, threads):
        def command(seconds):
            return [program, str(BANK), "1000", f"{seconds:g}", str(threads)]

        counted = json.loads(run(command(1.0), {0}, {})[2].strip().splitlines()[-1])
        if counted["voices"] != counted["voices_at_end"]:
            raise Failed("voices ended during the run")
        return Row(key, "FluidSynth", "sample, SF2 filter, 4th-order interpolation, stereo", counted["voices"], command, known, 64, threads)

    return [row("fluidsynth", 1), row("fluidsynth-2", 2)]
