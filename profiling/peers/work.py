# SPDX-License-Identifier: MIT
"""Work W, the same for every system: N held voices at 48 kHz, mono sum.

Voice i: a saw at 55 * 2^((i mod 60) / 12) Hz, a resonant low-pass at min(400 + 10 (i mod 400), 8000) Hz with Q 3, an ADSR
of 10 ms / 200 ms / 0.7 / 300 ms, gain 0.5 / N.
"""

RATE = 48000
RESONANCE = 3.0
RETRIGGER_SECONDS = 2.0


def frequency(voice):
    return 55.0 * 2.0 ** ((voice % 60) / 12.0)


def cutoff(voice):
    return float(min(400 + 10 * (voice % 400), 8000))


def gain(voices):
    return 0.5 / voices
