#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the pieces in this folder. usage: make_pieces.py [--check | FOLDER]

Without an argument into the folder of this script; --check compares instead and fails where a file differs."""
import pathlib
import sys

import bach
import scarborough
import sixteen

PIECES = {
    "bach-prelude.mid": bach.prelude,
    "bach-chorale.mid": bach.chorale,
    "scarborough-fair.mid": scarborough.scarborough,
    "sixteen.mid": sixteen.sixteen,
}


def main():
    here = pathlib.Path(__file__).resolve().parent
    checking = sys.argv[1:] == ["--check"]
    folder = here if checking or len(sys.argv) < 2 else pathlib.Path(sys.argv[1])
    wrong = 0
    for name, make in PIECES.items():
        data = make()
        path = folder / name
        if checking:
            same = path.exists() and path.read_bytes() == data
            wrong += not same
            print(f"{name}: {'the same' if same else 'differs from what the script makes'}")
        else:
            path.write_bytes(data)
            print(f"{name}: {len(data)} bytes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
