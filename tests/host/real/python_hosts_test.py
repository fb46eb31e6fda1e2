#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fault 42: a host for scripts: pedalboard plays our VST3 in tune, keeps its state and takes 32 of it at once

usage: python_hosts_test.py pedalboard BUNDLE.vst3
Run by a Python that has the host: TUTTI_HOSTS_PYTHON, or one of its own in build/hosts-python where ./test full has made it.
"""
import math
import os
import pathlib
import subprocess
import sys

WHICH, BUNDLE = sys.argv[1], str(pathlib.Path(sys.argv[2]).resolve())
RATE = 48000


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(77)


def in_the_right_python():
    wanted = os.environ.get("TUTTI_HOSTS_PYTHON", "")
    if os.environ.get("TUTTI_HOSTS_INSIDE") == "1":
        return
    if not wanted or not os.path.exists(wanted):
        skip("no Python with pedalboard (TUTTI_HOSTS_PYTHON; ./test full makes one)")
    # A screen that is not there: no editor is opened, and another test's screen may go at any moment.
    inside = {**os.environ, "DISPLAY": ":4095", "TUTTI_HOSTS_INSIDE": "1"}
    done = subprocess.run([wanted, "-B", __file__, *sys.argv[1:]], env=inside)
    # A host that crashes is a failure, however it says so.
    sys.exit(done.returncode if done.returncode >= 0 else 1)


def rms(sound):
    return float((sound.astype("float64") ** 2).mean() ** 0.5)


def pitch(sound, near):
    import numpy
    piece = sound[RATE // 4:RATE // 4 + RATE // 2].astype("float64")
    spectrum = abs(numpy.fft.rfft(piece * numpy.hanning(len(piece)), 8 * len(piece)))
    width = RATE / (8 * len(piece))
    low, high = int(near * 0.94 / width), int(near * 1.06 / width)
    return (low + int(spectrum[low:high].argmax())) * width


def in_tune(sound, what):
    cents = 1200 * math.log2(pitch(sound, 440.0) / 440.0)
    print(f"{what}: {20 * math.log10(rms(sound)):.1f} dBFS, key 69 is {cents:+.2f} cents off")
    assert rms(sound) > 0.01, f"{what}: hardly a sound"
    assert abs(cents) < 5, f"{what}: key 69 is {cents:.1f} cents off"


def with_pedalboard():
    import numpy
    import pedalboard
    print(f"pedalboard {pedalboard.__version__}")
    notes = [(bytes([0x90, 69, 100]), 0.0), (bytes([0x80, 69, 0]), 1.5)]

    def play(plugin):
        return plugin(notes, duration=2.0, sample_rate=RATE, num_channels=2, buffer_size=512, reset=True)

    plugin = pedalboard.load_plugin(BUNDLE)
    assert plugin.is_instrument
    print(f"{plugin.name}: {len(plugin.parameters)} parameters")
    first = play(plugin)
    in_tune(first[0], "pedalboard")
    assert numpy.array_equal(first, play(pedalboard.load_plugin(BUNDLE))), "a second instance sounds otherwise"
    # State: a changed parameter is heard, and so it is in another instance that gets the state.
    # Several voice types have a cutoff; one of them is at work.
    for name in [n for n in plugin.parameters if "cutoff" in n]:
        plugin.parameters[name].raw_value = 0.1
        dull = play(plugin)
        if not numpy.array_equal(first, dull):
            break
    else:
        raise AssertionError("no cutoff is heard")
    other = pedalboard.load_plugin(BUNDLE)
    other.raw_state = plugin.raw_state
    assert abs(other.parameters[name].raw_value - 0.1) < 1e-4, "the state has lost a parameter"
    assert numpy.array_equal(dull, play(other)), "the same state sounds otherwise"
    # 32 at once, each with its own note.
    many = [pedalboard.load_plugin(BUNDLE) for _ in range(32)]
    for i, one in enumerate(many):
        sound = one([(bytes([0x90, 40 + i, 90]), 0.0)], duration=0.25, sample_rate=RATE, num_channels=2, reset=True)
        assert rms(sound) > 0.003, f"instance {i} of 32 is silent"


in_the_right_python()
{"pedalboard": with_pedalboard}[WHICH]()
print("ok")
