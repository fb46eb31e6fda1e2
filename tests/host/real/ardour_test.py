#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fault 42: another maker's host: Ardour plays a song through our VST3 and exports what `tutti render` gives, to -120 dBFS

usage: ardour_test.py TUTTI BUNDLE.vst3
A session with one MIDI track, our VST3 on it and a MIDI region is made and exported by ardour7-lua (32-bit float, no dither);
120 beats a minute, 480 ticks a quarter, 48 kHz: every event falls on a whole frame. Ardour cannot make a MIDI region from
Lua, so the region is written into the session's file between two runs.
"""
import math
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

TUTTI, BUNDLE = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
PLUGIN, KIND = (sys.argv[3], sys.argv[4]) if len(sys.argv) > 4 else ("Tutti", "VST3")
HERE = pathlib.Path(__file__).parent
RATE, TICKS = 48000, 480
FRAMES = 6 * RATE
PRESET, FORMAT = "7e0ac6ac-9a3e-4d60-9bd0-5c6d1b9a8f01", "7e0ac6ac-9a3e-4d60-9bd0-5c6d1b9a8f02"


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(77)


def quantity(value):
    out = [value & 0x7f]
    while value := value >> 7:
        out.insert(0, value & 0x7f | 0x80)
    return bytes(out)


def song():
    """Chords, a line, overlaps, pedal and wheel: [tick, message]. No bend: VST3 carries it as a fraction, which Ardour and JUCE
    round to another of the 16,384 steps."""
    events = []
    for bar, chord in enumerate([(48, 60, 64, 67), (45, 57, 60, 64), (41, 57, 60, 65), (43, 55, 59, 62)]):
        for i, key in enumerate(chord):
            events += [(bar * 1200 + 30 * i, bytes([0x90, key, 60 + 10 * i])), (bar * 1200 + 900, bytes([0x80, key, 64]))]
    for i in range(16):
        key = 72 + (i * 5) % 12
        events += [(240 * i, bytes([0x90, key, 40 + 5 * i])), (240 * i + 170, bytes([0x80, key, 0]))]
    events += [(2400, bytes([0xb0, 64, 127])), (3100, bytes([0xb0, 64, 0])), (600, bytes([0xb0, 1, 80])), (2000, bytes([0xb0, 1, 0]))]
    return sorted(events, key=lambda e: (e[0], e[1][0] & 0xf0 == 0x90))


def midi_file(events, tempo):
    track = quantity(0) + b"\xff\x51\x03\x07\xa1\x20" if tempo else b""  # 500,000 microseconds a quarter
    now = 0
    for tick, message in events:
        track += quantity(tick - now) + message
        now = tick
    track += quantity(12 * TICKS - now) + b"\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS) + b"MTrk" + struct.pack(">I", len(track)) + track


def samples(file):
    """[channel][frame] of a 32-bit float WAV."""
    data = file.read_bytes()
    at, channels, body = 12, 0, b""
    while at + 8 <= len(data):
        kind, size = data[at:at + 4], struct.unpack("<I", data[at + 4:at + 8])[0]
        if kind == b"fmt ":
            code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", data[at + 8:at + 24])
            assert rate == RATE and bits == 32 and code in (3, 0xfffe), (code, rate, bits)
        if kind == b"data":
            body = data[at + 8:at + 8 + size]
        at += 8 + size + (size & 1)
    flat = struct.unpack(f"<{len(body) // 4}f", body)
    return [flat[c::channels] for c in range(channels)]


def put_region(session, name):
    """One MIDI source, one region at the session's start that shows all of it."""
    file = session / f"{name}.ardour"
    text = file.read_text()
    length = "b23040"  # Ardour counts 1,920 ticks a quarter: 12 quarters
    source = f'<Source name="song.mid" take-id="" type="midi" flags="" id="90001" natural-position="b0" have-natural-position="1" origin="song.mid" captured-for="Synth"/>'
    region = (f'<Region name="song" muted="0" opaque="1" locked="0" video-locked="0" automatic="0" whole-file="0" import="0" external="0" '
              f'sync-marked="0" left-of-split="0" right-of-split="0" hidden="0" position-locked="0" valid-transients="0" start="b0" '
              f'length="{length}@b0" sync-position="b0" ancestral-start="b0" ancestral-length="{length}@b0" stretch="1" shift="1" positional-lock-style="MusicTime" '
              f'layering-index="0" tags="" contents="0" id="90002" type="midi" first-edit="nothing" source-0="90001" master-source-0="90001"/>')
    assert "<Sources/>" in text
    text = text.replace("<Sources/>", f"<Sources>{source}</Sources>")
    begin = text.index('<Playlist id="', text.index("<Playlists>"))
    end = text.index("/>", begin)
    text = text[:end] + ">" + region + "</Playlist>" + text[end + 2:]
    file.write_text(text)


def main():
    if shutil.which("ardour7-lua") is None:
        skip("ardour7-lua is not installed (Debian: ardour)")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        home = scratch / "home"
        config = home / ".config" / "ardour7"
        (config / "export").mkdir(parents=True)
        (home / ".vst3").mkdir()
        (home / ".vst3" / BUNDLE.name).symlink_to(BUNDLE)
        stock = next(pathlib.Path("/usr/share/ardour7/export").glob("BWAV 32float*.format")).read_text()
        begin = stock.index('id="') + 4
        (config / "export" / "tutti.format").write_text(stock[:begin] + FORMAT + stock[stock.index('"', begin):])
        (config / "export" / "tutti.preset").write_text(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<ExportPreset id="{PRESET}" name="Tutti"><ExportFormat id="{FORMAT}"/>'
            '<ExportFilename><Folder relative="1" path="export"/><Field name="label" enabled="0"/><Field name="session" enabled="0"/>'
            '<Field name="snapshot" enabled="0"/><Field name="timespan" enabled="1"/><Field name="revision" enabled="0"/>'
            '<Field name="time" enabled="0" value="T_None"/><Field name="date" enabled="0" value="D_None"/></ExportFilename></ExportPreset>\n')
        env = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "XDG_CACHE_HOME": str(home / ".cache"),
               "VST3_PATH": str(home / ".vst3"), "LC_ALL": "C.UTF-8"}

        def ardour(script, *words):
            done = subprocess.run(["ardour7-lua", str(HERE / script), *map(str, words)], env=env, capture_output=True, text=True, timeout=300)
            print("\n".join(line for line in (done.stdout + done.stderr).splitlines() if "MP3" not in line))
            return done

        if KIND == "VST3":
            libraries = {**env, "LD_LIBRARY_PATH": "/usr/lib/ardour7", "ARDOUR_DATA_PATH": "/usr/share/ardour7", "ARDOUR_CONFIG_PATH": "/etc/ardour7",
                         "ARDOUR_DLL_PATH": "/usr/lib/ardour7"}
            scanned = subprocess.run(["/usr/lib/ardour7/ardour-vst3-scanner", "-v", "-f", str(home / ".vst3" / BUNDLE.name)], env=libraries, capture_output=True, text=True, timeout=120)
            print(scanned.stdout + scanned.stderr)
            assert scanned.returncode == 0, "Ardour's scanner refuses the plugin"
        session = scratch / "session"
        made = ardour("ardour_setup.lua", session, "session", PLUGIN, KIND)
        assert f"PLUGIN {PLUGIN}" in made.stdout, "Ardour does not know the plugin"
        events = song()
        midi = session / "interchange" / "session" / "midifiles" / "song.mid"
        midi.write_bytes(midi_file(events, False))
        put_region(session, "session")
        exported = ardour("ardour_export.lua", session, "session", FRAMES)
        assert "REGIONS 1" in exported.stdout, "Ardour has not taken the region"
        wavs = list(session.rglob("*.wav"))
        assert wavs, "nothing was exported"
        theirs = samples(wavs[0])
        peak = max(abs(x) for channel in theirs for x in channel)
        print(f"Ardour: {len(theirs)} channels, {len(theirs[0])} frames, peak {20 * math.log10(max(peak, 1e-9)):.2f} dBFS")
        assert peak > 0.01, "Ardour exported silence"

        (scratch / "song.mid").write_bytes(midi_file(events, True))
        (scratch / "init.json").write_text('{"tutti_patch": 1, "name": "Init", "voice": "subtractive"}')
        rendered = subprocess.run([TUTTI, "render", str(scratch / "song.mid"), "-o", str(scratch / "ours.wav"), "--bits", "32f", "--quiet",
                                   "--patch", f"1={scratch / 'init.json'}", "--seconds", str(FRAMES / RATE)], capture_output=True, text=True)
        assert rendered.returncode == 0, rendered.stderr
        ours = samples(scratch / "ours.wav")
        if keep := os.environ.get("TUTTI_KEEP"):
            shutil.copy(wavs[0], pathlib.Path(keep) / "ardour.wav")
            shutil.copy(scratch / "ours.wav", keep)
        frames = min(len(ours[0]), len(theirs[0]))
        assert frames >= FRAMES - 8192
        worst, where = 0.0, 0
        for mine, its in zip(ours, theirs):
            for i in range(frames):
                if (off := abs(mine[i] - its[i])) > worst:
                    worst, where = off, i
        level = 20 * math.log10(worst) if worst > 0 else -math.inf
        print(f"largest difference {level:.1f} dBFS at frame {where}, of {frames} frames")
        # The red control: one frame late is found.
        late = max(abs(ours[0][i] - theirs[0][i + 1]) for i in range(frames - 1))
        assert late > 1e-4, "a frame of delay is not seen: the comparison is blind"
        if KIND == "VST3":
            assert level <= -120, f"Ardour and tutti render differ by {level:.1f} dBFS"


main()
