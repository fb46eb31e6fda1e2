#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the shared room and hall do to a click, in figures: sends.py TUTTI [FOLDER]

Renders 10 ms of noise with the send closed and open (controller 91); their difference is what the send gives back. Prints the time
to -60 dB (Schroeder's integral, T20) whole and in octaves, its level against the click, when it begins, how alike its sides are, and
the loudest ringing tone over the smoothed spectrum. FOLDER keeps the sounds, and spectrograms where TUTTI draws them.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

RATE = 48000
SECONDS = 8


def midi(send):
    track = bytes([0, 0xB0, 91, send, 60, 0x90, 60, 127, 20, 0x80, 60, 0, 0, 0xFF, 0x2F, 0])
    return b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 1, 0xE0]) + b"MTrk" + len(track).to_bytes(4, "big") + track


def patch(room, hall):
    return {"tutti_patch": 1, "name": "Click", "voice": "subtractive", "gain_db": 0, "room_send": room, "hall_send": hall,
            "parameters": {"osc1_level": 0, "noise_level": 1, "filter_type": "off", "env1_attack": 0.0005, "env1_decay": 0.01,
                           "env1_sustain": 0, "env1_release": 0.002, "velocity": 0}}


def read(path):
    data = path.read_bytes()
    at = data.index(b"data")
    return np.frombuffer(data[at + 8:], "<f4").reshape(-1, 2).astype(float)


def render(tutti, folder, name, send, room, hall, plot=False):
    song, sound, voice = folder / f"{name}.mid", folder / f"{name}.wav", folder / f"{name}.json"
    song.write_bytes(midi(send))
    voice.write_text(json.dumps(patch(room, hall)))
    command = [tutti, "render", str(song), "-o", str(sound), "--bits", "32f", "--no-limiter", "--quiet", "--threads", "1",
               "--seconds", str(SECONDS), "--patch", f"1={voice}"]
    if plot:
        command += ["--plot", str(folder / f"{name}.png")]
    subprocess.run(command, check=True)
    return read(sound)


def band(x, low, high):
    spectrum = np.fft.rfft(x, axis=0)
    hertz = np.fft.rfftfreq(len(x), 1 / RATE)
    spectrum[(hertz < low) | (hertz >= high)] = 0
    return np.fft.irfft(spectrum, len(x), axis=0)


def decay(x):
    """Seconds to -60 dB from the slope between -5 and -25 dB of the energy that is still to come."""
    left = np.cumsum((x ** 2).sum(axis=1)[::-1])[::-1]
    level = 10 * np.log10(left / left[0] + 1e-30)
    first, last = np.argmax(level < -5), np.argmax(level < -25)
    return 60 / 20 * (last - first) / RATE


def decibels(x):
    return 10 * np.log10(x)


def look(tutti, folder, name, room, hall):
    dry = render(tutti, folder, name + "-dry", 0, room, hall)
    wet = render(tutti, folder, name, 40, room, hall, plot=True) - dry
    energy = (wet ** 2).sum(axis=1)
    start = np.argmax(energy > 1e-6 * energy.max()) - np.argmax((dry ** 2).sum(axis=1) > 1e-6)
    tail = wet[start + RATE // 2:start + RATE // 2 + 2 * RATE]
    alike = np.corrcoef(tail[:, 0], tail[:, 1])[0, 1]
    spectrum = np.abs(np.fft.rfft(tail * np.hanning(len(tail))[:, None], axis=0)) ** 2
    power = spectrum.sum(axis=1)[200:24000]
    smooth = np.convolve(power, np.ones(401) / 401, "same")
    result = {"send": name, "decay_s": round(decay(wet), 2),
              "decay_by_octave_s": {str(f): round(decay(band(wet, f / 2 ** 0.5, f * 2 ** 0.5)), 2) for f in (250, 500, 1000, 2000, 4000, 8000)},
              "level_db": round(decibels((wet ** 2).sum() / (dry ** 2).sum()), 1), "begins_ms": round(1000 * start / RATE, 1),
              "sides_alike": round(float(alike), 2), "loudest_tone_db": round(decibels((power / smooth)[500:-500].max()), 1)}
    print(json.dumps(result))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else scratch)
        folder.mkdir(parents=True, exist_ok=True)
        look(sys.argv[1], folder, "room", 0.5, 0)
        look(sys.argv[1], folder, "hall", 0, 0.5)


main()
