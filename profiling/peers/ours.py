# SPDX-License-Identifier: MIT
"""This project's own program: `tutti bench voices`, the whole engine (events, parts, mix) on work W."""

import json
import os
from pathlib import Path

from . import bare_loop
from .measure import Failed, Row, run
from .python_env import ROOT

KEYS = ("voices", "audio_seconds", "wall_seconds", "realtime_voices", "threads", "block", "isa")


def program(given=None):
    """The path of the tutti program, or None."""
    if given:
        if not os.access(given, os.X_OK):
            raise Failed(f"--tutti {given}: not a program")
        return str(Path(given).resolve())
    built = [p for p in ROOT.glob("build*/cli/tutti") if os.access(p, os.X_OK)]
    return str(max(built, key=lambda p: p.stat().st_mtime)) if built else None


def bench(path, seconds, voices=4096, quality="eco", threads=1, extra=()):
    argv = [path, "bench", "voices", "--type", "subtractive", "--quality", quality, "--voices", str(voices)]
    argv += ["--seconds", f"{seconds:g}", "--threads", str(threads), "--block", "64", "--json", *extra]
    return argv


def says(path, isa, argv):
    """The JSON object of one run; checks that it holds what the comparison reads."""
    environment = {"TUTTI_ISA": isa} if isa else {}
    text = run(argv, set(os.sched_getaffinity(0)), environment)[2]
    try:
        got = json.loads(text)
    except ValueError as error:
        raise Failed(f"tutti bench voices --json printed no JSON object: {text.strip()[:80]!r}") from error
    missing = [key for key in KEYS if key not in got]
    if missing:
        raise Failed("tutti bench voices --json lacks " + ", ".join(missing))
    if got.get("sounding", got["voices"]) < got["voices"]:
        raise Failed(f"only {got['sounding']} of {got['voices']} voices sounded")
    if got.get("dropped_events", 0) or got.get("late_events", 0):
        raise Failed(f"{got.get('dropped_events', 0)} events dropped, {got.get('late_events', 0)} late")
    return got


VARIANTS = [  # key, what differs, instruction set forced, arguments of bench
    ("ours", "eco saw, SVF", "", {}),
    ("ours-avx2", "eco saw, SVF", "avx2", {}),
    ("ours-sse2", "eco saw, SVF", "sse2", {}),
    ("ours-retrigger", "eco saw, SVF, every voice retriggered each 2 s", "", {"extra": ("--retrigger", "2")}),
    ("ours-retrigger-avx2", "eco saw, SVF, every voice retriggered each 2 s", "avx2", {"extra": ("--retrigger", "2")}),
    ("ours-sweep", "eco saw, SVF, cutoff by envelope", "", {"extra": ("--cutoff-envelope",)}),
    ("ours-sweep-avx2", "eco saw, SVF, cutoff by envelope", "avx2", {"extra": ("--cutoff-envelope",)}),
    ("ours-131072", "eco saw, SVF", "", {"voices": 131072}),
    ("ours-standard", "standard saw, SVF", "", {"quality": "standard"}),
    ("ours-ultra", "ultra saw, SVF", "", {"quality": "ultra"}),
    ("ours-ultra-avx2", "ultra saw, SVF", "avx2", {"quality": "ultra"}),
    ("ours-2", "eco saw, SVF", "", {"threads": 2}),
]


def rows(path):
    """Rows and, for those that cannot run, a note that names the reason: (rows, {key: reason})."""
    if path is None:
        return [], {key: "no tutti program (build it, or give --tutti PATH)" for key, *_ in VARIANTS}
    result, missing = [], {}
    sets = bare_loop.supported()
    for key, text, isa, arguments in VARIANTS:
        if isa and isa not in sets:
            missing[key] = f"this machine has no {isa}"
            continue
        try:
            got = says(path, isa, bench(path, 0.5, **arguments))
            if isa and str(got["isa"]).lower().replace("-", "").replace("_", "")[: len(isa)] != isa:
                raise Failed(f"TUTTI_ISA={isa} was answered with isa {got['isa']}")
        except Failed as error:
            missing[key] = str(error)
            continue

        def command(seconds, arguments=arguments):
            return bench(path, seconds, **arguments)

        result.append(
            Row(
                key,
                f"Tutti, {got['isa']}",
                text,
                arguments.get("voices", 4096),
                command,
                got.get("version", ""),
                64,
                arguments.get("threads", 1),
                {"TUTTI_ISA": isa} if isa else {},
                note="whole engine",
            )
        )
    return result, missing
