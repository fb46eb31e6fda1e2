#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Traces, doctor, soak and marks as their users meet them."""
import bisect
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import unittest

TUTTI, SOURCE = sys.argv[1], sys.argv[2]
SONG = os.path.join(SOURCE, "music", "bach-chorale.mid")
STAGES = {"set up", "render", "finish"}


def run(*arguments, before=(), env=None):
    return subprocess.run([*before, TUTTI, *arguments], capture_output=True, timeout=600, env={**os.environ, **(env or {})})


class Inside(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def trace(self, *arguments):
        done = run(*arguments, "--trace", self.path("t.json"))
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("t.json")) as file:
            told = json.load(file)
        self.assertEqual(told["otherData"]["dropped"], "0")
        return told["traceEvents"]

    def sum(self, events, *names):
        return sum(e["dur"] for e in events if e["ph"] == "X" and e["name"] in names)

    def test_trace_of_a_render_accounts_for_the_time(self):
        events = self.trace("render", SONG, "-o", self.path("x.wav"), "--seconds", "3", "--threads", "1", "--quiet")
        whole = self.sum(events, "command")
        self.assertGreater(self.sum(events, *STAGES), 0.98 * whole)
        self.assertLessEqual(self.sum(events, *STAGES), 1.0001 * whole)
        # The middle pull: a busy machine takes the thread away between two spans now and then.
        pulls = sorted((e["ts"], e["dur"]) for e in events if e["ph"] == "X" and e["name"] == "pull")
        inside = sorted((e["ts"], e["dur"]) for e in events if e["ph"] == "X" and
                        e["name"] in ("events", "control", "voices", "effects", "mix"))
        begins, told = [at for at, _ in pulls], [0.0] * len(pulls)
        for at, length in inside:
            told[max(0, bisect.bisect_right(begins, at + 0.01) - 1)] += length
        share = statistics.median(part / length for part, (_, length) in zip(told, pulls))
        self.assertGreater(share, 0.98)
        self.assertLessEqual(share, 1.001)
        self.assertIn("sounding voices", {e["name"] for e in events if e["ph"] == "C"})

    def test_trace_of_play_and_bench(self):
        events = self.trace("play", SONG, "--null", "--no-midi", "--seconds", "1", "--mode", "ahead", "--quiet")
        names = {e["name"] for e in events}
        self.assertLessEqual({"audio callback", "pull", "render block", "voices", "ring blocks"}, names)
        threads = {e["args"]["name"] for e in events if e["name"] == "thread_name"}
        self.assertLessEqual({"main", "audio", "render thread"}, threads)
        events = self.trace("bench", "voices", "--voices", "64", "--seconds", "0.1")
        self.assertGreater(self.sum(events, "pull"), 0)

    def test_a_trace_that_cannot_be_written(self):
        done = run("render", SONG, "-o", self.path("x.wav"), "--seconds", "1", "--quiet", "--trace", "/nowhere/t.json")
        self.assertEqual(done.returncode, 5)
        self.assertEqual(len(done.stderr.decode().strip().splitlines()), 1)

    def test_doctor(self):
        told = json.loads(run("doctor", "--json").stdout)
        names = {each["name"] for each in told["findings"]}
        self.assertLessEqual({"processor", "instruction set", "real-time priority", "locked memory", "frequency governor",
                              "audio servers", "output devices", "GPU", "libtorch", "versions", "backend", "model folder"}, names)
        for each in told["findings"]:
            self.assertIn(each["verdict"], ("good", "note", "poor"))
            self.assertTrue(each["value"])
            self.assertEqual(each["verdict"] == "good", not each["remedy"], each)
        self.assertEqual(run("doctor").returncode, 0)
        # Red controls: what is wrong is seen.
        wrong = {each["name"]: each for each in json.loads(run("doctor", "--json", env={"TUTTI_ISA": "mmx"}).stdout)["findings"]}
        self.assertEqual(wrong["instruction set"]["verdict"], "poor")
        wrong = {e["name"]: e for e in json.loads(run("doctor", "--json", env={"TUTTI_MODELS": "/nowhere"}).stdout)["findings"]}
        self.assertEqual(wrong["model folder"]["verdict"], "note")

    def test_no_privilege_is_survived_with_one_line(self):
        if not shutil.which("setpriv"):
            self.skipTest("SKIP: setpriv is not there")
        before = ["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice", "prlimit", "--rtprio=0:0"]
        if subprocess.run([*before, "true"], capture_output=True).returncode != 0:
            self.skipTest("SKIP: privileges cannot be given up here")
        done = run("play", SONG, "--null", "--no-midi", "--seconds", "0.5", "--mode", "ahead", before=before)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [line for line in done.stderr.decode().splitlines() if "real-time priority" in line]
        self.assertEqual(len(lines), 1, done.stderr)
        told = json.loads(run("doctor", "--json", before=before).stdout)
        found = next(each for each in told["findings"] if each["name"] == "real-time priority")
        self.assertEqual(found["verdict"], "note")

    def test_soak_ends_with_its_verdict_on_ctrl_c(self):
        running = subprocess.Popen([TUTTI, "soak", "--hours", "100", "--fake-clock", "--json"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        running.stderr.readline()  # a line a minute: it runs
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=600)
        told = json.loads(out)
        self.assertTrue(told["interrupted"])
        self.assertTrue(told["verdict"])

    def test_soak_says_what_it_takes(self):
        for wrong in (["soak"], ["soak", "--minutes", "1", "--fake-clock"], ["soak", "--hours", "1"]):
            done = run(*wrong)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(len(done.stderr.decode().strip().splitlines()), 1)

    def test_marks(self):
        told = json.loads(run("bench", "marks", "--seconds", "0.1", "--json").stdout)
        self.assertGreater(told["voice_mark"]["voices"], 1)
        self.assertGreater(told["utilization_mark"]["percent"], 0)
        self.assertEqual(set(told["jitter_mark"]["wake_us"]), {"p50", "p99", "p999", "max"})
        self.assertIn("frames", told["latency_mark"])
        self.assertEqual(run("bench", "marks", "--only", "nonsense").returncode, 2)
        told = json.loads(run("bench", "trace", "--seconds", "0.1", "--pairs", "1", "--json").stdout)
        self.assertEqual(told["dropped"], 0)
        self.assertGreater(told["events_per_second"], 1000)

    def test_latency_plot(self):
        told = json.loads(run("bench", "latency", "--seconds", "0.3", "--json", "--plot", self.path("l.png")).stdout)
        self.assertIn("ahead_p999_percent", told)
        self.assertIn("inline_p999_percent", told)
        self.assertTrue(os.path.getsize(self.path("l.png")) > 1000)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
