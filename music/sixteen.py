# SPDX-License-Identifier: MIT
"""Sixteen: three minutes in which all sixteen channels play most of the time. Interlocking patterns over eight chords in the
manner of the minimalists, written for this project as a benchmark that can be listened to."""
from smf import Track, conductor, song

BARS = 90  # of 4/4 at 120: 180 seconds
# Roots and chord tones (semitones above the root), two bars each.
HARMONY = [(45, (0, 3, 7, 10, 14)), (41, (0, 4, 7, 11, 14)), (48, (0, 4, 7, 11, 14)), (43, (0, 4, 7, 9, 14)),
           (38, (0, 3, 7, 10, 14)), (40, (0, 3, 7, 10, 12)), (41, (0, 4, 7, 11, 16)), (40, (0, 5, 7, 10, 12))]
# channel: name, program, how it plays, octaves up, volume, pan
PARTS = [
    (0, "Piano", 0, "pulse", 1, 84, 50), (1, "Electric piano", 4, "comp", 1, 84, 74), (2, "Marimba", 12, "weave", 2, 80, 30),
    (3, "Bells", 9, "sparks", 3, 66, 96), (4, "Organ", 16, "hold", 1, 60, 58), (5, "Guitar", 24, "weave", 1, 72, 88),
    (6, "Bass", 38, "bass", 0, 100, 64), (7, "Strings", 48, "hold", 1, 74, 40), (8, "Choir", 52, "hold", 2, 62, 90),
    (9, "Drums", 0, "drums", 0, 96, 64), (10, "Brass", 61, "stabs", 1, 76, 36), (11, "Clarinet", 71, "line", 2, 78, 46),
    (12, "Flute", 73, "line", 3, 72, 82), (13, "Square lead", 80, "arp", 2, 58, 20), (14, "Warm pad", 89, "hold", 1, 80, 64),
    (15, "Sweep pad", 95, "hold", 2, 56, 108),
]
# Each part rests in a section of its own, so that no two sections sound alike; the last one is for all.
SECTION = 10  # bars


def plays(channel, bar):
    section = bar // SECTION
    return bar >= 2 * (channel % 4) and (section == BARS // SECTION - 1 or (channel * 5 + 3) % 8 != section)


def tone(chord, index, octaves):
    root, tones = chord
    return root + tones[index % 5] + 12 * (index // 5 + octaves)


def drums(track, start, bar):
    fill = bar % SECTION == SECTION - 1
    for beat in range(4):
        track.note(start + beat, 0.2, 36 if beat % 2 == 0 else 38, 98 if beat % 2 == 0 else 90)
        for half in (0.0, 0.5):
            track.note(start + beat + half, 0.2, 46 if beat == 3 and half else 42, 62 if half == 0 else 48)
        track.note(start + beat + 0.75, 0.1, 70 if bar % 2 else 44, 36)
    track.note(start + 2.75, 0.2, 36, 72)
    if fill:
        for i in range(8):
            track.note(start + 2 + 0.25 * i, 0.2, (50, 50, 47, 47, 45, 45, 43, 41)[i], 70 + 4 * i)
    if bar % SECTION == 0:
        track.note(start, 1, 49, 92)


def bar_of(track, manner, channel, octaves, bar):
    start, chord = 4.0 * bar, HARMONY[bar // 2 % 8]
    if manner == "drums":
        drums(track, start, bar)
    elif manner == "bass":
        for i, (at, length) in enumerate(((0, 0.9), (1.5, 0.4), (2, 0.9), (3, 0.4), (3.5, 0.4))):
            track.note(start + at, length, chord[0] + (-12, -12, -5, -12, 0)[i] + (12 if chord[0] < 40 else 0), 92 - 4 * i)
    elif manner == "hold":
        if bar % 2 == 0:
            for index in ((0, 2, 4) if channel % 2 == 0 else (1, 3, 2)):
                track.note(start, 7.9, tone(chord, index, octaves - (index == 4)), 64)
    elif manner == "pulse":
        for i in range(8):
            for index in ((0, 2, 3) if i % 4 == 0 else (1 + i % 3,)):
                track.note(start + 0.5 * i, 0.45, tone(chord, index, octaves), 72 if i % 4 == 0 else 58)
    elif manner == "comp":
        for at in (0.0, 1.5, 2.5) if bar % 2 == 0 else (0.5, 2.0, 3.5):
            for index in (1, 2, 3, 4):
                track.note(start + at, min(0.7, 3.95 - at), tone(chord, index, octaves), 66)
    elif manner == "weave":
        # A pattern of 7 against the bar's 16: it needs seven bars to come round.
        for i in range(16):
            if (16 * bar + i) % 7 in (0, 2, 3, 5):
                track.note(start + 0.25 * i, 0.22, tone(chord, (i * 3 + channel) % 7, octaves), 60 + 8 * (i % 4 == 0))
    elif manner == "arp":
        for i in range(16):
            track.note(start + 0.25 * i, 0.2, tone(chord, (0, 2, 4, 5, 4, 2)[(16 * bar + i) % 6], octaves), 54 + 10 * (i % 4 == 0))
    elif manner == "sparks":
        for i in range(3):
            at = (5 * bar + 7 * i) % 16 / 4
            track.note(start + at, min(1.0, 3.95 - at), tone(chord, (bar + 2 * i) % 5, octaves), 56)
    elif manner == "stabs":
        for at in (0.0, 0.75) if bar % 4 != 3 else (0.0, 0.75, 1.5, 2.25, 3.0):
            for index in (0, 1, 2, 3):
                track.note(start + at, 0.4, tone(chord, index, octaves), 80)
    elif manner == "line" and (bar + channel) % 2 == 0 and bar + 1 < BARS:  # it reaches into the next bar
        steps = [(bar // 2 * 3 + 2 * i + channel) % 5 for i in range(4)]
        for i, (at, length) in enumerate(((0.0, 1.5), (1.5, 0.5), (2.0, 1.0), (3.0, 3.0))):
            track.note(start + at, length - 0.05, tone(chord if i < 3 else HARMONY[(bar + 1) // 2 % 8], steps[i], octaves - 1), 76)
        track.swell(start, start + 3.5, 11, 78, 110)
        track.swell(start + 3.75, start + 6, 11, 108, 76)
        track.swell(start + 4, start + 5.5, 1, 0, 60)
        track.control(start + 6, 1, 0)
        for i in range(4):
            track.bend(start + 3 + 0.04 * i, -0.4 * (1 - i / 3))


def sixteen():
    head = conductor("Sixteen", "The Tutti project", 4, 4)
    head.tempo(0, 120)
    tracks = [head]
    for channel, name, program, manner, octaves, volume, pan in PARTS:
        track = Track(name, channel, program, seed=1600 + channel, loose=4, uneven=5)
        track.setup(volume=volume, pan=pan, reverb=50, chorus=30 if manner == "hold" else 0)
        for bar in range(BARS):
            if plays(channel, bar):
                bar_of(track, manner, channel, octaves, bar)
                if manner in ("pulse", "comp") and bar % 2 == 0:
                    track.control(4 * bar + 0.06, 64, 127)
                    track.control(4 * bar + 7.9, 64, 0)
        if manner == "hold":
            for bar in range(0, BARS, 2):
                track.swell(4 * bar, 4 * bar + 4, 11, 74, 106, 0.5)
                track.swell(4 * bar + 4.5, 4 * bar + 7.5, 11, 104, 72, 0.5)
        tracks.append(track)
    return song(tracks, 4 * BARS)
