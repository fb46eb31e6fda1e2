#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""standalone_settings.py PROGRAM: what the program remembers from one start to the next, in a home folder of its own.

The last sound comes back; a sound card that has gone is a sentence, and its choice is kept for when it is back. --reset forgets both."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

LETTERS = ".ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"
GONE = ('<VALUE name="audioSetup"><DEVICESETUP deviceType="ALSA" audioOutputDeviceName="A card that has gone" '
        'audioInputDeviceName="" audioDeviceRate="48000.0"/></VALUE>')


def run(program, home, *words):
    """Starts it, waits until it stands, ends it as a terminal does; what it said."""
    with tempfile.TemporaryFile("a+") as said:
        child = subprocess.Popen([program, *words], env={**os.environ, "HOME": str(home)}, stdout=said, stderr=said)
        # Where no sound card is, it says so a second after it has begun; where one is, twenty seconds are enough.
        for _ in range(200):
            time.sleep(0.1)
            said.seek(0)
            if "no audio device is open" in said.read() or child.poll() is not None:
                break
        time.sleep(0.5)
        assert child.poll() is None, f"it did not stay: {child.returncode}"
        child.send_signal(signal.SIGINT)
        code = child.wait(60)
        said.seek(0)
        text = said.read()
    assert code == 0, f"it ended with {code}: {text}"
    return text


def settings(home):
    return home / ".config" / "Tutti.settings"


def sound(home):
    """The state in the settings: JUCE writes its length, and six bits a letter, the lowest first."""
    found = re.search(r'name="filterState" val="(\d+)\.([^"]*)"', settings(home).read_text())
    assert found, "no sound is kept"
    bits = sum(LETTERS.index(letter) << 6 * i for i, letter in enumerate(found[2]))
    return bits.to_bytes(len(found[2]), "little")[:int(found[1])].decode()


def main(program):
    with tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch)
        run(program, home, "--preset", "warm-pad")
        assert '"preset": "warm-pad"' in sound(home), "the sound was not kept"
        run(program, home)
        assert '"preset": "warm-pad"' in sound(home), "the next start has lost the sound"
        text = settings(home).read_text()
        text = re.sub(r'<VALUE name="audioSetup".*?(/>|</VALUE>)', "", text, flags=re.S)
        settings(home).write_text(text.replace("</PROPERTIES>", GONE + "</PROPERTIES>"))
        said = run(program, home)
        assert "no audio device is open" in said, f"no word of the card that has gone: {said}"
        assert "A card that has gone" in settings(home).read_text(), "the choice of the card was not kept"
        assert '"preset": "warm-pad"' in sound(home), "the sound was lost with the card"
        run(program, home, "--reset")
        assert '"preset": "warm-pad"' not in sound(home), "--reset has kept the sound"
        assert "A card that has gone" not in settings(home).read_text(), "--reset has kept the card"
    print("ok")


main(sys.argv[1])
