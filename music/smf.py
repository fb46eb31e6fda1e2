# SPDX-License-Identifier: MIT
"""Standard MIDI Files, written from notes in quarter notes. The same input gives the same bytes on every machine."""
import random
import re

TICKS = 480  # a quarter note
STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}


def key(name):
    """"c4" is 60, "f#3" 54, "bb2" 46."""
    match = re.fullmatch(r"([a-g])(#|b)?(-?\d)", name)
    return STEPS[match[1]] + {"#": 1, "b": -1, None: 0}[match[2]] + 12 * (int(match[3]) + 1)


def number(value):
    out = [value & 127]
    while value > 127:
        value >>= 7
        out.append(value & 127 | 128)
    return bytes(reversed(out))


class Humaniser:
    """Small errors of a player from a seed: random() alone is used, since it is the one that Python keeps the same for ever."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def error(self, size):
        """Triangular, at most `size` to either side."""
        return (self.random.random() - self.random.random()) * size


class Track:
    def __init__(self, name, channel=None, program=None, seed=0, loose=6, uneven=5):
        self.name, self.channel, self.program = name, channel, program
        self.human, self.loose, self.uneven = Humaniser(seed), loose, uneven
        self.notes, self.events = [], []  # (start, end, key, velocity) and (tick, order, bytes)

    def note(self, start, length, pitch, velocity):
        """In quarter notes; ends a little early where `length` is a whole slot."""
        begin = max(0, round(start * TICKS + self.human.error(self.loose)))
        end = round((start + length) * TICKS + self.human.error(self.loose))
        loud = round(velocity + self.human.error(self.uneven))
        self.notes.append((begin, max(end, begin + 10), pitch if isinstance(pitch, int) else key(pitch), min(127, max(1, loud))))

    def raw(self, time, data, order=1):
        self.events.append((round(time * TICKS), order, bytes(data)))

    def control(self, time, number, value):
        self.raw(time, [0xB0 | self.channel, number, min(127, max(0, round(value)))])

    def swell(self, begin, end, number, first, last, step=0.25):
        """A controller that moves in a straight line."""
        count = max(1, round((end - begin) / step))
        for i in range(count + 1):
            self.control(begin + (end - begin) * i / count, number, first + (last - first) * i / count)

    def bend(self, time, semitones):
        """With the range of 2 semitones that every synth starts from."""
        value = min(16383, max(0, round(8192 + semitones / 2 * 8192)))
        self.raw(time, [0xE0 | self.channel, value & 127, value >> 7])

    def pedal(self, times):
        """Down just after each time (the note before it has gone), up at the next one."""
        for i, time in enumerate(times):
            if i:
                self.control(time, 64, 0)
            if i + 1 < len(times):
                self.control(time + 0.06, 64, 127)

    def setup(self, volume=100, pan=64, expression=100, reverb=40, chorus=0):
        for number, value in ((7, volume), (10, pan), (11, expression), (91, reverb), (93, chorus)):
            self.control(0, number, value)

    def meta(self, time, kind, data, order=0):
        self.raw(time, bytes([0xFF, kind]) + number(len(data)) + bytes(data), order)

    def tempo(self, time, beats_a_minute):
        self.meta(time, 0x51, round(60e6 / beats_a_minute).to_bytes(3, "big"))

    def data(self, last):
        events = [(0, -2, b"\xff\x03" + number(len(self.name)) + self.name.encode())]
        if self.program is not None:
            events.append((0, -1, bytes([0xC0 | self.channel, self.program])))
        events += self.events
        following = {}
        for begin, end, pitch, velocity in sorted(self.notes, reverse=True):
            # A key must be up before it can be struck again.
            end = min(end, following.get(pitch, end + 1) - 1)
            following[pitch] = begin
            if end > begin:
                events.append((begin, 3, bytes([0x90 | self.channel, pitch, velocity])))
                events.append((end, 2, bytes([0x80 | self.channel, pitch, 64])))
        events.sort(key=lambda event: event[:2])
        out, before = bytearray(), 0
        for tick, _, data in events:
            out += number(tick - before) + data
            before = tick
        out += number(max(0, last - before)) + b"\xff\x2f\x00"
        return b"MTrk" + len(out).to_bytes(4, "big") + bytes(out)


def song(tracks, quarters):
    """A type 1 file that lasts `quarters`."""
    head = b"MThd" + (6).to_bytes(4, "big") + (1).to_bytes(2, "big") + len(tracks).to_bytes(2, "big") + TICKS.to_bytes(2, "big")
    return head + b"".join(track.data(round(quarters * TICKS)) for track in tracks)


def conductor(title, composer, beats, unit, sharps=0, minor=0):
    """The first track: title, credits, time and key signature."""
    track = Track(title)
    track.meta(0, 0x02, f"{composer}. Public domain; this encoding: MIT, the Tutti project".encode())
    track.meta(0, 0x58, bytes([beats, unit.bit_length() - 1, 24, 8]))
    track.meta(0, 0x59, bytes([sharps & 255, minor]))
    return track
