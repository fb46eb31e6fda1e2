# SPDX-License-Identifier: MIT
"""Writes the binary OSC score that scsynth and supernova render without a sound card (`-N`).

A score is a run of bundles, each preceded by its byte count (int32, big endian). A bundle is the string
"#bundle", an NTP time tag counted from 0 and its messages, each again preceded by a byte count
(OpenSoundControl 1.0 specification). Bundles must stand in order of time.
"""

import struct


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _string(text: str) -> bytes:
    return _padded(text.encode("ascii") + b"\0")


def message(address: str, *arguments) -> bytes:
    tags, body = ",", b""
    for value in arguments:
        if isinstance(value, bytes):
            tags += "b"
            body += struct.pack(">i", len(value)) + _padded(value)
        elif isinstance(value, str):
            tags += "s"
            body += _string(value)
        elif isinstance(value, int):
            tags += "i"
            body += struct.pack(">i", value)
        else:
            tags += "f"
            body += struct.pack(">f", value)
    return _string(address) + _string(tags) + body


class Score:
    """Messages collected by time; messages of the same time keep the order in which they were added."""

    def __init__(self):
        self._entries = []

    def add(self, seconds: float, packet: bytes):
        self._entries.append((seconds, len(self._entries), packet))

    def write(self, path):
        with open(path, "wb") as out:
            for seconds, _, packet in sorted(self._entries):
                whole = int(seconds)
                tag = struct.pack(">II", whole, int((seconds - whole) * 2**32))
                bundle = b"#bundle\0" + tag + struct.pack(">i", len(packet)) + packet
                out.write(struct.pack(">i", len(bundle)) + bundle)
