#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Speaks a sentence into a WAV file, for the demonstration of `tutti transcribe`. Needs espeak-ng."""
import shutil
import subprocess
import sys

TEXT = ("Ask not what your country can do for you. "
        "The quick brown fox jumps over the lazy dog, and nobody sings about it on a Tuesday.")


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else "demo.wav"
    speaker = shutil.which("espeak-ng") or shutil.which("espeak")
    if not speaker:
        sys.exit("demo_speech: espeak-ng is not installed; nothing was spoken; install it, or name a sound file of yours")
    subprocess.run([speaker, "-v", "en-us", "-s", "140", "-w", out, TEXT], check=True)
    print(f"{out}: {TEXT}")


if __name__ == "__main__":
    main()
