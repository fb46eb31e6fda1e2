# SPDX-License-Identifier: MIT
"""scsynth and supernova, rendering an OSC score without a sound card."""

import os
import re
import subprocess
from pathlib import Path

from . import work
from .measure import Failed, Row
from .osc_score import Score, message
from .tools import found, text_of

PACKAGES = ["supercollider-server", "supercollider-supernova", "supercollider-language"]
HERE = Path(__file__).parent


def version(program):
    if not found(program):
        return None
    match = re.search(r"(\d+\.\d+[\w.\-]*)", text_of([program, "-v"]))
    return match.group(1) if match else "unknown"


def definitions(folder):
    """Compiles voices.scd once; the servers load the result from the score."""
    if not (folder / "saw_only.scsyndef").exists():
        if not found("sclang"):
            raise Failed("sclang is not installed (supercollider-language)")
        environment = {
            **os.environ,
            "TUTTI_SCSYNTHDEFS": str(folder),
            "QT_QPA_PLATFORM": "offscreen",  # sclang starts Qt even for a script
            "QTWEBENGINE_DISABLE_SANDBOX": "1",
        }
        done = subprocess.run(
            ["sclang", str(HERE / "voices.scd")], env=environment, capture_output=True, timeout=120, check=False
        )
        if not (folder / "saw_only.scsyndef").exists():
            raise Failed("sclang wrote no definitions: " + done.stdout.decode("utf-8", "replace").strip()[-120:])


def score(folder, name, voices, seconds, groups=0, retrigger=False):
    path = folder / f"{name}-{voices}-{seconds:g}-{groups}-{retrigger}.osc"
    if path.exists():
        return str(path)
    out = Score()
    out.add(0.0, message("/d_recv", (folder / f"{name}.scsyndef").read_bytes()))
    if groups:  # supernova spreads the members of a parallel group over its threads
        out.add(0.0, message("/p_new", 1, 0, 0))
        for group in range(groups):
            out.add(0.0, message("/g_new", 10 + group, 0, 1))
    for voice in range(voices):
        target = 10 + voice % groups if groups else 0
        out.add(
            0.0,
            message(
                "/s_new", name, 1000 + voice, 0, target,
                "freq", work.frequency(voice), "cut", work.cutoff(voice), "rq", 1.0 / work.RESONANCE,
                "amp", work.gain(voices),
            ),
        )  # fmt: skip
        when = work.RETRIGGER_SECONDS * (1 + voice / voices)
        while retrigger and when < seconds - 0.01:
            out.add(when, message("/n_set", 1000 + voice, "gate", 0.0))
            out.add(when + 2 * 64 / work.RATE, message("/n_set", 1000 + voice, "gate", 1.0))
            when += work.RETRIGGER_SECONDS
    out.add(seconds, message("/c_set", 0, 0.0))  # the render ends with the last bundle
    out.write(path)
    return str(path)


def render(program, folder, score_path, block, threads=1):
    argv = [program, "-N", score_path, "_", str(folder / f"{program}.wav"), str(work.RATE), "WAV", "float"]
    argv += ["-o", "1", "-i", "0", "-z", str(block), "-n", "20000", "-m", "262144", "-w", "4096"]
    return argv + (["-T", str(threads)] if program == "supernova" else [])


def server_row(folder, key, program, found_version, text, name, voices, block=64, threads=1, retrigger=False):
    groups = threads if program == "supernova" and threads > 1 else 0

    def command(seconds):
        return render(program, folder, score(folder, name, voices, seconds, groups, retrigger), block, threads)

    return Row(key, program, text, voices, command, found_version, block, threads)


def rows(folder, program):
    known = version(program)
    if known is None:
        return None
    definitions(folder)
    if program == "supernova":
        return [
            server_row(folder, "supernova", program, known, "Saw, RLPF", "saw_voice", 1000),
            server_row(folder, "supernova-2", program, known, "Saw, RLPF, 2 groups in a parallel group", "saw_voice", 2000, threads=2),
        ]
    return [
        server_row(folder, "scsynth", program, known, "Saw, RLPF", "saw_voice", 1000),
        server_row(folder, "scsynth-256", program, known, "Saw, RLPF", "saw_voice", 1000, block=256),
        server_row(folder, "scsynth-retrigger", program, known, "Saw, RLPF, every voice retriggered each 2 s", "saw_voice", 1000, retrigger=True),
        server_row(folder, "scsynth-sweep", program, known, "Saw, RLPF, cutoff by envelope at audio rate", "saw_sweep", 1000),
        server_row(folder, "scsynth-moog", program, known, "Saw, MoogFF", "saw_moog", 1000),
    ]


def alias_wav(folder, hz):
    """Three seconds of the bare saw, for alias.py."""
    definitions(folder)
    out = Score()
    out.add(0.0, message("/d_recv", (folder / "saw_only.scsyndef").read_bytes()))
    out.add(0.0, message("/s_new", "saw_only", 1000, 0, 0, "freq", float(hz)))
    out.add(3.0, message("/c_set", 0, 0.0))
    path = folder / f"saw_only-{hz:g}.osc"
    out.write(path)
    subprocess.run(render("scsynth", folder, str(path), 64), capture_output=True, check=True)
    return folder / "scsynth.wav"
