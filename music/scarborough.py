# SPDX-License-Identifier: MIT
"""Scarborough Fair (traditional, England), arranged: flute and saw lead, FM electric piano, warm pad, bells, bass, plucks, drums."""
from smf import Track, conductor, key, song

# The tune in D dorian, 3/4, one verse of 20 bars; lengths in quarters, r is a rest.
TUNE = """
d4:2 d4:1 | a4:2 a4:1 | e4:1.5 f4:.5 e4:1 | d4:3 | r:1 a4:1 c5:1 | d5:2 c5:1 | a4:1 b4:1 g4:1 | a4:3 | r:3 |
r:2 d5:1 | d5:2 d5:1 | c5:2 a4:1 | a4:1 g4:1 f4:1 | e4:1 c4:2 | d4:2 a4:1 | g4:2 f4:1 | e4:1 d4:1 c4:1 | d4:3 | r:3 | r:3
"""
CHORDS = "Dm Am C Dm F G G Am C Dm G F Dm C Dm G Am Dm Dm C".split()
VOICINGS = {  # bass, then from below
    "Dm": "d2 d3 a3 d4 f4 a4", "Am": "a1 e3 a3 c4 e4 a4", "C": "c2 e3 g3 c4 e4 g4", "F": "f1 f3 a3 c4 f4 a4", "G": "g1 d3 g3 b3 d4 g4",
}
# A second voice for the last verse, below the tune and in its own rhythm.
DESCANT = """
a4:3 | e5:3 | g4:1.5 a4:.5 g4:1 | f4:3 | r:1 f5:1 e5:1 | d5:1 b4:1 g4:1 | d5:1 d5:1 b4:1 | e5:3 | e5:1 d5:1 c5:1 |
a4:2 f5:1 | g5:2 g5:1 | a5:2 f5:1 | d5:1 e5:1 f5:1 | g5:1 e5:2 | f5:2 d5:1 | b4:2 d5:1 | c5:1 b4:1 a4:1 | f5:3 | d5:1 e5:1 f5:1 | g5:3
"""
INTRO, VERSE, BRIDGE, OUTRO = 8, 20, 4, 8  # bars
STARTS = [INTRO, INTRO + VERSE, INTRO + 2 * VERSE + BRIDGE]
BARS = INTRO + 3 * VERSE + BRIDGE + OUTRO
KICK, SNARE, HAT, OPEN_HAT, RIM, CRASH, RIDE, LOW_TOM, MID_TOM, HIGH_TOM = 36, 38, 42, 46, 37, 49, 51, 45, 47, 50


def words(text):
    """(start, length, pitch) of the notes of a line."""
    time = 0.0
    for word in text.replace("|", " ").split():
        pitch, _, length = word.partition(":")
        if pitch != "r":
            yield time, float(length), pitch
        time += float(length)


def chord_of(bar):
    """The harmony of every bar of the song: verses, and the open fifths around them."""
    for start in STARTS:
        if start <= bar < start + VERSE:
            return CHORDS[bar - start]
    return ("Dm", "C", "Dm", "G")[bar % 4] if bar < BARS - 2 else "Dm"


def sing(track, start, text, loud, transpose=0, reach=True):
    for time, length, pitch in words(text):
        at = start + time
        track.note(at, length - 0.05, key(pitch) + transpose, loud + (6 if time % 3 == 0 else 0))
        if length >= 2:
            # A long note is reached from below, swells, and gets its vibrato late.
            if reach:
                for i in range(5):
                    track.bend(at + 0.03 * i, -0.35 * (1 - i / 4))
            track.swell(at, at + length / 2, 11, 88, 112)
            track.swell(at + length / 2 + 0.25, at + length - 0.1, 11, 110, 86)
            track.swell(at + length / 2, at + length - 0.25, 1, 0, 50)
            track.control(at + length - 0.02, 1, 0)


def drums(track, bar, level):
    start = 3.0 * bar
    last = bar + 1 in STARTS or (bar - STARTS[1]) % 10 == 9
    if level == 1:  # rim and soft hats
        track.note(start, 0.2, KICK, 66)
        track.note(start + 2, 0.2, RIM, 58)
        for i in range(3):
            track.note(start + i, 0.2, HAT, 44 + 10 * (i == 0))
        return
    track.note(start, 0.2, KICK, 100)
    track.note(start + 1.5, 0.2, KICK, 72)
    track.note(start + 2, 0.2, SNARE, 92)
    for i in range(6):
        track.note(start + 0.5 * i, 0.2, RIDE if level == 3 and i % 2 == 0 else HAT, 50 + 14 * (i % 2 == 0))
    if last:
        for i, tom in enumerate((HIGH_TOM, HIGH_TOM, MID_TOM, MID_TOM, LOW_TOM, LOW_TOM)):
            track.note(start + 1.5 + 0.25 * i, 0.2, tom, 74 + 4 * i)
    elif bar % 2:
        track.note(start + 2.5, 0.4, OPEN_HAT, 60)
    if level == 3 and (bar - STARTS[2]) % 10 == 0:
        track.note(start, 1.0, CRASH, 96)


def scarborough():
    head = conductor("Scarborough Fair", "Traditional", 3, 4, 0, 1)
    head.tempo(0, 132)
    for name, bar in (("Intro", 0), ("First verse", STARTS[0]), ("Second verse", STARTS[1]), ("Bridge", STARTS[1] + VERSE),
                      ("Third verse", STARTS[2]), ("Outro", STARTS[2] + VERSE)):
        head.meta(3 * bar, 0x06, name.encode())
    for i in range(3 * 4):
        head.tempo(3 * (BARS - 4) + i, 130 - 5 * i)

    flute = Track("Flute", 0, 73, seed=1, loose=9)
    piano = Track("Electric piano", 1, 4, seed=2, loose=6, uneven=7)
    pad = Track("Warm pad", 2, 89, seed=3, loose=4)
    bass = Track("Bass", 3, 38, seed=4, loose=5)
    bells = Track("Bells", 4, 9, seed=5, loose=8)
    pluck = Track("Plucked strings", 5, 46, seed=6, loose=5, uneven=8)
    lead = Track("Saw lead", 6, 81, seed=7, loose=7)
    kit = Track("Drums", 9, 0, seed=8, loose=4, uneven=7)
    flute.setup(volume=104, pan=60, expression=96, reverb=72)
    piano.setup(volume=88, pan=44, reverb=40, chorus=48)
    pad.setup(volume=78, pan=64, expression=60, reverb=80, chorus=40)
    bass.setup(volume=96, pan=64, reverb=8)
    bells.setup(volume=70, pan=92, reverb=90)
    pluck.setup(volume=72, pan=84, reverb=56)
    lead.setup(volume=74, pan=70, expression=90, reverb=64, chorus=20)
    kit.setup(volume=92, reverb=24)

    sing(flute, 3 * STARTS[0], TUNE, 78, transpose=12)
    sing(flute, 3 * STARTS[1], TUNE, 84, transpose=12)
    sing(lead, 3 * STARTS[2], TUNE, 86, transpose=12)
    sing(flute, 3 * STARTS[2], DESCANT, 70, transpose=12, reach=False)
    for bar in range(BARS):
        start, chord = 3.0 * bar, VOICINGS[chord_of(bar)].split()
        root, upper = key(chord[0]), [key(name) for name in chord[1:]]
        ending = bar >= BARS - 2
        # Electric piano: broken chords throughout, the pedal changes with the harmony.
        order = (0, 2, 3, 4, 3, 2) if bar % 2 else (0, 1, 2, 4, 3, 1)
        if not ending:
            for i, voice in enumerate(order):
                piano.note(start + 0.5 * i, 0.5, upper[voice], 58 + 10 * (i == 0) + (8 if bar >= STARTS[1] else 0))
        elif bar == BARS - 2:
            for i, pitch in enumerate([root + 12] + upper):
                piano.note(start + 0.09 * i, 6 - 0.09 * i, pitch, 60)
        if bar >= 4:
            for voice in (1, 2, 3):
                pad.note(start, 3.0 if chord_of(bar) != chord_of(bar + 1) or ending else 3.05, upper[voice], 66)
        if STARTS[1] <= bar < BARS - 2:
            bass.note(start, 1.9, root + 12, 92)
            bass.note(start + 2, 0.9, root + (19 if bar % 2 else 12), 78)
        elif bar == BARS - 2:
            bass.note(start, 6, root + 12, 80)
        if bar < INTRO or STARTS[1] + VERSE <= bar < STARTS[2] or bar >= STARTS[2] + VERSE:
            # Between the verses the bells hang notes into the room.
            for i in (0, 2) if not ending else (0,):
                bells.note(start + i, 1.0, upper[3 + (i // 2 + bar) % 2] + 12, 62)
        if bar >= STARTS[1] + 10 and not ending:
            for i in range(6):
                if (i * 5 + bar) % 3:
                    pluck.note(start + 0.5 * i, 0.3, upper[(i * 2 + bar) % 5] + 12, 56 + 8 * (i % 3 == 0))
        level = 0 if bar < STARTS[1] or ending else 1 if bar < STARTS[1] + 10 or STARTS[1] + VERSE <= bar < STARTS[2] else 2
        level = 3 if STARTS[2] <= bar < STARTS[2] + VERSE else level
        if level:
            drums(kit, bar, level)
    kit.note(3 * (BARS - 2), 3, CRASH, 80)
    piano.pedal([3.0 * bar for bar in range(BARS - 1)] + [3.0 * BARS])
    pad.swell(12, 3 * STARTS[0], 11, 30, 76, 0.5)
    pad.swell(3 * (STARTS[1] + VERSE), 3 * STARTS[2], 11, 76, 112, 0.5)
    pad.swell(3 * (BARS - 4), 3 * BARS - 0.5, 11, 100, 20, 0.5)
    pad.swell(3 * STARTS[1], 3 * (STARTS[1] + VERSE), 74, 50, 90, 1.0)
    return song([head, flute, piano, pad, bass, bells, pluck, lead, kit], 3 * BARS + 3)
