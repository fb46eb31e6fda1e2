# SPDX-License-Identifier: MIT
"""Johann Sebastian Bach: the first prelude of the Well-Tempered Clavier (BWV 846, 1722), and the chorale "Jesu, meine Freude"
as it opens and closes the motet BWV 227 (about 1723)."""
from smf import Track, conductor, song

# A bar is five notes, played 1 2 3 4 5 3 4 5 twice.
PRELUDE = """
c4 e4 g4 c5 e5 | c4 d4 a4 d5 f5 | b3 d4 g4 d5 f5 | c4 e4 g4 c5 e5 | c4 e4 a4 e5 a5 | c4 d4 f#4 a4 d5 | b3 d4 g4 d5 g5 |
b3 c4 e4 g4 c5 | a3 c4 e4 g4 c5 | d3 a3 d4 f#4 c5 | g3 b3 d4 g4 b4 | g3 bb3 e4 g4 c#5 | f3 a3 d4 a4 d5 | f3 ab3 d4 f4 b4 |
e3 g3 c4 g4 c5 | e3 f3 a3 c4 f4 | d3 f3 a3 c4 f4 | g2 d3 g3 b3 f4 | c3 e3 g3 c4 e4 | c3 g3 bb3 c4 e4 | f2 f3 a3 c4 e4 |
f#2 c3 a3 c4 eb4 | ab2 f3 b3 c4 d4 | g2 f3 g3 b3 d4 | g2 e3 g3 c4 e4 | g2 d3 g3 c4 f4 | g2 d3 g3 b3 f4 | g2 eb3 a3 c4 f#4 |
g2 e3 g3 c4 g4 | g2 d3 g3 c4 f4 | g2 d3 g3 b3 f4 | c2 c3 g3 bb3 e4
"""
# The last three bars go their own way.
CODA = ["c2 c3 f3 a3 c4 f4 c4 a3 c4 a3 f3 a3 f3 d3 f3 d3", "c2 b2 g4 b4 d5 f5 d5 b4 d5 b4 g4 b4 d4 f4 e4 d4", "c2 c3 e4 g4 c5"]
# Where the harmony presses (diminished and secondary dominants, the long pedal on G) the playing does; in hundredths.
PRELUDE_ARCH = [78, 80, 82, 78, 84, 84, 86, 82, 80, 84, 80, 88, 80, 88, 78, 76, 74, 78, 72, 76, 74, 84, 88, 82,
                80, 84, 86, 92, 90, 86, 82, 78, 74, 70, 62]


def prelude():
    bars = [bar.split() for bar in PRELUDE.replace("\n", " ").split("|")]
    head = conductor("Prelude in C major, BWV 846", "Johann Sebastian Bach, 1722", 4, 4)
    hand = Track("Keyboard", 0, 0, seed=846, loose=5, uneven=4)
    hand.setup(volume=104, reverb=56)
    head.tempo(0, 69)
    for number, bar in enumerate(bars):
        start, loud = 4.0 * number, 0.72 * PRELUDE_ARCH[number]
        # Each half bar breathes: the bass a shade late and full, the top note sung.
        for half in (0.0, 2.0):
            for i, voice in enumerate((0, 1, 2, 3, 4, 2, 3, 4)):
                length = 2.0 if voice == 0 else 1.75 if voice == 1 else 0.25
                accent = {0: 8, 1: 2, 4: 5}.get(voice, 0) - (3 if half else 0)
                hand.note(start + half + 0.25 * i, length, bar[voice], loud + accent)
        head.tempo(start + 3.5, 68.0 if number % 4 != 3 else 64.5)
        head.tempo(start + 4.0, 69.0 + 0.05 * (PRELUDE_ARCH[min(number + 1, 34)] - 78))
    for number, line in enumerate(CODA):
        start, notes = 4.0 * (32 + number), line.split()
        if number < 2:
            hand.note(start, 4.0, notes[0], 58)
            hand.note(start + 0.25, 3.75, notes[1], 52)
            for i, name in enumerate(notes[2:]):
                hand.note(start + 0.5 + 0.25 * i, 0.25, name, 54 - 0.5 * i)
                if number == 1 and i >= 8:
                    head.tempo(start + 0.5 + 0.25 * i, 66 - 3.2 * (i - 7))
        else:
            head.tempo(start, 52)
            for i, name in enumerate(notes):
                hand.note(start + 0.05 * i, 4.0 - 0.05 * i, name, 52 + 2 * (i == 4))
    hand.pedal([4.0 * bar for bar in range(36)])
    return song([head, hand], 4 * 36)


# Voices, bar by bar; a number after a colon is a length in eighths, 2 where there is none. Bars 7 to 12 repeat 1 to 6.
CHORALE = {
    "Soprano": """b4 b4 a4 g4 | f#4:4 e4:4 | b4 c#5 d5 b4 | e5:4 d#5:4 | e5 g5 f#5:4 | e5:8 ||
        b4 b4 c5 b4 | a4:4 g4:4 | b4 c#5 d5 b4 | e5 d5:1 c#5:1 c#5:4 | b4:8 | a4 g4 f#4:4 | e4:8""",
    "Alto": """g4 f#4 e4:1 d#4:1 e4 | e4 d#4 b3:4 | g4:1 f#4:1 e4 f#4 d4 | g4 a4 b4:4 | b4 b4 c5 b4:1 a4:1 | g4:8 ||
        g4 f#4 e4 d4:1 g4:1 | g4 f#4 d4:4 | d4 g4 f#4 f#4 | g4 f#4 f#4:3 e4:1 | d#4:4 e4:3 d#4:1 |
        e4:1 f#4:1 g4:1 e4:3 d#4 | b3:8""",
    "Tenor": """e4 b3 c4:3 b3:1 | c4 b3:1 a3:1 g3:4 | e4:1 d4:1 c#4:1 b3:1 a3 g3:1 a3:1 | b3 e4 f#4:4 | b3 e4:4 d#4 | b3:8 ||
        e4 b3:1 a3:1 g3:1 a3:1 b3 | e4 d4:1 c4:1 b3:4 | b3 b3 a#3 b3 | a#3 b3:4 a#3 | f#3:4 g3:1 a3:1 b3 |
        c4 b3 c#4 b3:1 a3:1 | g#3:8""",
    "Bass": """e3 d3 c3:1 b2:1 a2:1 g2:1 | a2 b2 e2:4 | e3 a3:1 g3:1 f#3 g3:1 f#3:1 | e3:1 g3:1 c4 b3:4 |
        g3:1 f#3:1 e3 a3 b3 | e3:8 || e3 d#3 e3:1 f#3:1 g3 | c#3 d3 g2:4 | g3 f#3:1 e3:1 f#3 e3:1 d3:1 |
        c#3 d3:1 e3:1 f#3:4 | b2:4 e3:1 f#3:1 g3:1 e3:1 | c3:1 d3:1 e3:1 c3:1 a#2 b2 | e2:8""",
}
CHORALE_BARS = 19
PHRASE_ENDS = [2, 4, 6, 8, 10, 12, 14, 17, 19]  # after these bars the choir breathes


def chorale():
    head = conductor("Jesu, meine Freude, BWV 227", "Johann Sebastian Bach, about 1723", 4, 4, 1, 1)
    head.tempo(0, 66)
    for bar in PHRASE_ENDS:
        slow = 40 if bar == CHORALE_BARS else 54
        head.tempo(4 * bar - 1.5, slow + 6)
        head.tempo(4 * bar - 1.0, slow)
        head.tempo(4 * bar, 66)
    tracks = [head]
    # Programs of four kinds, so that each voice can be followed: choir, strings, clarinet, organ.
    for channel, (name, program, pan, volume) in enumerate((("Soprano", 52, 44, 104), ("Alto", 48, 84, 94),
                                                            ("Tenor", 71, 56, 90), ("Bass", 19, 70, 98))):
        track = Track(name, channel, program, seed=227 + channel, loose=7, uneven=3)
        track.setup(volume=volume, pan=pan, expression=84, reverb=84, chorus=16)
        stollen, abgesang = CHORALE[name].split("||")
        time = 0.0
        for number, bar in enumerate((stollen + "|" + stollen + "|" + abgesang).split("|"), 1):
            for word in bar.split():
                pitch, _, eighths = word.partition(":")
                length = int(eighths or 2) / 2
                breath = 0.3 if number in PHRASE_ENDS and (time + length) % 4 == 0 else 0.04
                track.note(time, length - breath, pitch, 72 + (4 if name == "Soprano" else 0) + (3 if time % 4 == 0 else 0))
                time += length
            assert time == 4.0 * number, f"{name} bar {number} is {time - 4 * number + 4} quarters long"
        begin = 0
        for bar in PHRASE_ENDS:
            middle, end = (begin + 4 * bar) / 2, 4.0 * bar
            track.swell(begin, middle, 11, 82, 106 if bar != 17 else 116)
            track.swell(middle + 0.25, end - 0.25, 11, 105, 78)
            begin = 4 * bar
        tracks.append(track)
    return song(tracks, 4 * CHORALE_BARS + 2)
