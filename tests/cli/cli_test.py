#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tutti program as its users meet it: what it prints, its exit codes, what it leaves behind."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest
import wave

TUTTI, SOURCE = sys.argv[1], sys.argv[2]
SONG = os.path.join(SOURCE, "music", "bach-chorale.mid")


def run(*arguments, env=None, stdin=None, timeout=600):
    return subprocess.run([TUTTI, *arguments], capture_output=True, timeout=timeout, input=stdin,
                          env={**os.environ, **(env or {})})


class Manners(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def refused(self, done, code, *words):
        """One line that names what is wrong; nothing left behind."""
        text = done.stderr.decode()
        self.assertEqual(done.returncode, code, text)
        self.assertEqual(len(text.strip().splitlines()), 1, text)
        self.assertGreaterEqual(text.count(";"), 2, text)  # what; what it means; what to do
        for word in words:
            self.assertIn(word, text)
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_help_and_version(self):
        self.assertTrue(run("--version").stdout.startswith(b"tutti "))
        for command in ("render", "phrase", "play", "devices", "patches", "bench", "doctor", "soak", "fit"):
            shown = run(command, "--help")
            self.assertEqual(shown.returncode, 0)
            self.assertIn(b"--", shown.stdout)
        shown = run("render", "--help").stdout
        self.assertIn(b"48000", shown)
        self.assertIn(b"TUTTI_RATE", shown)

    def test_every_option_has_its_variable(self):
        commands = ["render", "phrase", "play", "devices", "patches list", "patches describe", "bench voices", "bench latency", "bench alias", "bench streams"]
        seen = 0
        for command in commands:
            for line in run(*command.split(), "--help").stdout.decode().splitlines():
                option = re.match(r"  (?:-\w,)?--([a-z-]+)", line)
                if option and option.group(1) != "help":
                    seen += 1
                    self.assertIn("(Env:TUTTI_" + option.group(1).upper().replace("-", "_") + ")", line, command)
        self.assertGreater(seen, 40)
        # They do what the option does, and give way to it.
        wrong = {"TUTTI_RATE": "1", "TUTTI_OUTPUT": self.path("e.wav"), "TUTTI_SECONDS": "0.5", "TUTTI_QUIET": "1"}
        self.refused(run("render", SONG, env=wrong), 2, "--rate")
        self.assertEqual(run("render", SONG, "--rate", "8000", env=wrong).returncode, 0)
        with wave.open(self.path("e.wav")) as sound:
            self.assertEqual((sound.getframerate(), sound.getnframes()), (8000, 4000))

    def test_progress_on_a_terminal(self):
        main, terminal = pty.openpty()
        with subprocess.Popen([TUTTI, "render", SONG, "-o", self.path("p.wav")], stderr=terminal, stdout=subprocess.DEVNULL) as running:
            shown = b""
            while running.poll() is None or select.select([main], [], [], 0.1)[0]:
                if select.select([main], [], [], 0.1)[0]:
                    shown += os.read(main, 65536)
        os.close(main)
        os.close(terminal)
        self.assertIn("█".encode(), shown)
        self.assertRegex(shown, rb" %  \d+:\d\d left")
        self.assertIn(b"times real time", shown.splitlines()[-1])

    def test_nobody_listens_to_the_messages(self):
        heard, told = os.pipe()
        os.close(heard)
        done = subprocess.run([TUTTI, "render", SONG, "-o", self.path("q.wav"), "--seconds", "2"], stderr=told, timeout=600)
        os.close(told)
        self.assertEqual(done.returncode, 0)
        with wave.open(self.path("q.wav")) as sound:
            self.assertEqual(sound.getnframes(), 96000)
        # Sound to a pipe that closes is an output that cannot be written.
        heard, told = os.pipe()
        os.close(heard)
        done = subprocess.run([TUTTI, "render", SONG, "-o", "-", "--quiet"], stdout=told, stderr=subprocess.PIPE, timeout=600)
        os.close(told)
        self.assertEqual(done.returncode, 5, done.stderr)

    def test_wrong_input(self):
        out = ("-o", self.path("x.wav"))
        self.refused(run("render", "/nowhere.mid", *out), 4, "nowhere.mid")
        self.refused(run("render", __file__, *out), 4)
        self.refused(run("render", SONG, "-o", self.path("x.xyz")), 2, "x.xyz")
        self.refused(run("render", SONG, "-o", "/nowhere/x.wav"), 5, "/nowhere")
        self.refused(run("render", SONG, "--rate", "1", *out), 2, "--rate")
        self.refused(run("render", SONG, "--bits", "7", *out), 2, "--bits")
        self.refused(run("render", SONG, "--patch", "1=no-such-patch", *out), 2, "no-such-patch")
        self.refused(run("render", SONG, "--patch", "warm-pad", *out), 2, "warm-pad")
        self.refused(run("phrase", "Am7 | Hm7", *out), 4, "Hm7")
        for option, value in (("--seconds", "nan"), ("--seconds", "-1"), ("--seconds", "inf"), ("--rate", "nan"), ("--threads", "-1")):
            self.refused(run("render", SONG, *out, option, value), 2, option.strip("-"))
        for option, value in (("--tempo", "nan"), ("--velocity", "5"), ("--notes", "99"), ("--strum", "9"), ("--humanise", "2"), ("--voicing", "odd")):
            self.refused(run("phrase", "Am7", *out, option, value), 2, option)
        self.refused(run("render", SONG, *out, "--plot", self.path("x.jpg")), 2, "x.jpg")
        self.refused(run("render", SONG, *out, "--plot", "/nowhere/x.png"), 5, "/nowhere")
        self.refused(run("bench", "voices", "--type", "nope"), 2, "nope", "subtractive")
        self.refused(run("play", "--null", "--mode", "odd"), 2, "odd")
        self.refused(run(), 2, "render")
        self.refused(run("patches"), 2, "validate")
        self.refused(run("nonsense"), 2, "nonsense")
        with open(SONG, "rb") as song:
            cut = song.read(200)
        self.refused(run("render", "-", *out, stdin=cut[:20]), 4)
        self.refused(run("bench", "voices", "--voices", "5", env={"TUTTI_ISA": "mmx"}), 2, "mmx")

    def test_fit(self):
        out = ("-o", self.path("fitted.json"))
        self.refused(run("fit", "/nowhere.wav", *out), 4, "nowhere.wav")
        self.refused(run("fit", __file__, *out, "--note", "200"), 2, "--note")
        self.refused(run("fit", __file__, *out, "--patch", "warm-pad"), 2, "ambient_pad")
        self.refused(run("fit", __file__, *out, "--parameters", "cutoff,osc1_wave"), 2, "osc1_wave")
        self.refused(run("fit", __file__, *out, "--parameters", "spoons"), 2, "spoons")
        with tempfile.TemporaryDirectory() as folder:
            sound = os.path.join(folder, "note.wav")
            with wave.open(sound, "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(24000)
                file.writeframes(b"".join(int(9000 * (1 - i / 6000) * ((i % 100) / 50 - 1)).to_bytes(2, "little", signed=True)
                                          for i in range(6000)))
            command = ("fit", sound, "--patch", "synth-pluck", "--note", "57", "--steps", "5", "--json", "--parameters", "cutoff,level,env1_decay")
            without = run(*command, *out, env={"TUTTI_TORCH_LIBRARY": "/nowhere"})
            self.refused(without, 2, "torch")
            done = run(*command, *out)
            if b"no torch backend" in done.stderr:
                self.skipTest("built without libtorch")
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            said = json.loads(done.stdout)
            self.assertLessEqual(said["loss"][1], said["loss"][0])
            self.assertEqual(os.listdir(self.folder.name), ["fitted.json"])
            self.assertEqual(run("patches", "validate", self.path("fitted.json")).returncode, 0)
            self.assertEqual(run(*command, "-o", "/nowhere/x.json").returncode, 5)

    def test_render(self):
        out = self.path("chorale.wav")
        done = run("render", SONG, "-o", out, "--bits", "16", "--seconds", "3", "--json", "--plot", self.path("c.png"))
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        self.assertAlmostEqual(told["audio_seconds"], 3.0, places=3)
        self.assertGreater(told["peak_db"], -40)
        self.assertLessEqual(told["peak_db"], 0)
        self.assertEqual((told["late_events"], told["dropped_events"], told["muted_voices"]), (0, 0, 0))
        with wave.open(out) as sound:
            self.assertEqual((sound.getnchannels(), sound.getframerate(), sound.getnframes()), (2, 48000, 144000))
        with open(self.path("c.png"), "rb") as picture:
            self.assertEqual(picture.read(8), b"\x89PNG\r\n\x1a\n")

    def test_the_same_bits_again_and_by_environment(self):
        files = []
        for name, threads in (("a", "1"), ("b", "2")):
            done = run("render", SONG, "-o", self.path(name + ".wav"), "--seconds", "2", "--quiet",
                       env={"TUTTI_THREADS": threads})
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
            with open(self.path(name + ".wav"), "rb") as sound:
                files.append(sound.read())
        self.assertTrue(files[0] == files[1])

    def test_pipes(self):
        with open(SONG, "rb") as song:
            done = run("render", "-", "-o", "-", "--seconds", "1", "--quiet", stdin=song.read())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout[:4], b"RIFF")
        self.assertGreater(len(done.stdout), 200000)

    def test_stems_add_up(self):
        done = run("render", SONG, "-o", self.path("m.wav"), "--bits", "32f", "--seconds", "2", "--stems", "--no-limiter",
                   "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(json.loads(done.stdout)["outputs"]), 5)

    def test_interrupt_leaves_nothing(self):
        running = subprocess.Popen([TUTTI, "render", SONG, "-o", self.path("x.wav"), "--seconds", "3000", "--quiet"],
                                   stderr=subprocess.PIPE)
        while running.poll() is None and not os.listdir(self.folder.name):
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=300)
        self.assertEqual(running.returncode, 130)
        self.assertEqual(os.listdir(self.folder.name), [])

    def test_play_without_a_device(self):
        done = run("play", SONG, "--null", "--no-midi", "--seconds", "1", "--record", self.path("r.wav"))
        self.assertEqual(done.returncode, 0, done.stderr)
        with wave.open(self.path("r.wav")) as sound:
            self.assertGreater(sound.getnframes(), 30000)

    def played_on_a_terminal(self, ending):
        """Plays a song on a terminal of its own until `ending` is typed, or a signal sent; what it left behind."""
        main, terminal = pty.openpty()
        self.addCleanup(os.close, main)
        self.addCleanup(os.close, terminal)
        before = termios.tcgetattr(terminal)
        record = self.path("r.wav")
        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        running = subprocess.Popen([TUTTI, "play", SONG, "--null", "--no-midi", "--record", record], stdin=terminal, stdout=terminal,
                                   stderr=terminal, preexec_fn=own_terminal)
        raw = False
        shown = b""
        end = time.time() + 300  # only a broken one takes so long
        while time.time() < end and (not raw or shown.count(b"voices") < 30):
            raw = raw or not termios.tcgetattr(terminal)[3] & termios.ICANON
            if select.select([main], [], [], 0.05)[0]:
                shown += os.read(main, 65536)
        self.assertTrue(raw, "the terminal was never taken")
        self.assertIn(b"underruns", shown)
        if isinstance(ending, bytes):
            os.write(main, ending)
        else:
            running.send_signal(ending)
        while running.poll() is None and time.time() < end:
            if select.select([main], [], [], 0.05)[0]:
                os.read(main, 65536)
        return running.wait(timeout=60), termios.tcgetattr(terminal)[3] == before[3], record

    def test_ctrl_c_restores_the_terminal_and_no_note_hangs(self):
        for ending, code in ((b"\x03", 130), (signal.SIGTERM, 130), (b"q", 0)):
            with self.subTest(ending=ending):
                left, restored, record = self.played_on_a_terminal(ending)
                self.assertEqual(left, code)
                self.assertTrue(restored)
                with wave.open(record) as sound:
                    width, frames = sound.getsampwidth(), sound.getnframes()
                    data = sound.readframes(frames)
                loud = [abs(int.from_bytes(data[i:i + width], "little", signed=True)) / 2.0 ** (8 * width - 1)
                        for i in range(0, len(data), width)]
                # 20 ms fade, then 40 ms of silence: the recording's last 10 ms are digital zero, and music came before.
                self.assertGreater(max(loud), 0.01)
                self.assertEqual(max(loud[-2 * 480:]), 0)
                os.remove(record)
        # Red control: a player that is killed leaves the terminal as it had set it.
        self.assertFalse(self.played_on_a_terminal(signal.SIGKILL)[1])

    def test_patches(self):
        listed = json.loads(run("patches", "list", "--json").stdout)
        self.assertGreaterEqual(len(listed), 20)
        for each in listed[:3]:
            self.assertEqual(run("patches", "describe", each["id"]).returncode, 0)
        text = run("patches", "describe", "warm-pad", "--json").stdout
        with open(self.path("p.json"), "wb") as patch:
            patch.write(text)
        self.assertEqual(run("patches", "validate", self.path("p.json")).returncode, 0)
        with open(self.path("p.json"), "wb") as patch:
            patch.write(text[: len(text) // 2])
        self.assertEqual(run("patches", "validate", self.path("p.json")).returncode, 4)

    def test_bench(self):
        told = json.loads(run("bench", "voices", "--voices", "256", "--seconds", "0.2", "--json").stdout)
        for key in ("voices", "audio_seconds", "wall_seconds", "realtime_voices", "threads", "block", "isa"):
            self.assertIn(key, told)
        self.assertEqual(told["sounding"], 256)
        told = json.loads(run("bench", "latency", "--seconds", "0.3", "--json").stdout)
        for key in ("pull_ns", "block_us"):
            self.assertEqual(set(told[key]), {"p50", "p99", "p999", "max"})
        told = json.loads(run("bench", "streams", "--voices", "400", "--seconds", "0.2", "--pairs", "1", "--json").stdout)
        self.assertEqual(told["sounding"], [400, 400])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
