# SPDX-License-Identifier: MIT
"""Tests of profiling/compare that need no peer: statistics, the OSC score, the removal of start-up, refusals, the report.
The alias analysis runs against known saws where numpy is there; where it is not, that part alone says SKIP."""

import importlib.machinery
import importlib.util
import json
import struct
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

ROOT = Path(sys.argv.pop(1)).resolve()
PROBES = {Path(p).name.rsplit("_", 1)[-1]: p for p in sys.argv[1:]}  # instruction set -> the bare loop built for it
del sys.argv[1:]
sys.path.insert(0, str(ROOT / "profiling"))

from peers import bare_loop, measure, osc_score, ours, report  # noqa: E402


class Statistics(unittest.TestCase):
    def test_interval_holds_the_median_and_narrows_on_equal_values(self):
        wide = measure.summary([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
        self.assertEqual(wide["median"], 4.0)
        self.assertLess(wide["low"], 4.0)
        self.assertGreater(wide["high"], 4.0)
        even = measure.summary([2.0] * 5)
        self.assertEqual((even["low"], even["high"]), (2.0, 2.0))

    def test_same_samples_same_interval(self):
        self.assertEqual(measure.summary([3.0, 1.0, 2.0]), measure.summary([3.0, 1.0, 2.0]))

    def test_more_pairs_only_where_the_two_are_close(self):
        for factor, expected in ((2.0, 3), (1.1, 6)):
            values = {"a": factor * 100, "b": 100.0}
            taken = measure.sample
            measure.sample = lambda row, core: values[row]
            try:
                self.assertEqual(len(measure.pairs("a", "b", 3, 6)), expected)
            finally:
                measure.sample = taken


class StartUp(unittest.TestCase):
    def test_start_up_is_removed_by_the_difference(self):
        """A program that burns 0.15 s to start and 0.1 s an audio second: 100 voices run 10 times real time, 1,000 voices."""
        program = textwrap.dedent(
            """
            import sys, time
            end = 0.15 + 0.1 * float(sys.argv[1])
            while time.process_time() < end: pass
            """
        )
        row = measure.Row("x", "x", "x", 100, lambda seconds: [sys.executable, "-S", "-c", program, str(seconds)])
        row.seconds = (1.0, 4.0)
        measure.sample(row, 0)
        # Clock ticks of 4 ms against 0.3 s and whatever the interpreter does at its end: 10 %.
        self.assertAlmostEqual(row.samples[0], 1000.0, delta=100.0)
        self.assertLess(row.with_start_up[0], 0.85 * row.samples[0])

    def test_two_threads_are_not_measured_on_a_busy_machine(self):
        row = measure.Row("x", "x", "x", 1, lambda seconds: ["true"], threads=2, seconds=(1.0, 2.0))
        taken, measure.busy = measure.busy, lambda: 3.0
        try:
            with self.assertRaisesRegex(measure.Failed, "others want to run"):
                measure.sample(row, 0)
        finally:
            measure.busy = taken

    def test_a_failing_program_is_named(self):
        with self.assertRaisesRegex(measure.Failed, "ended with 3: no such thing"):
            measure.run([sys.executable, "-c", "import sys; sys.stderr.write('no such thing\\n'); sys.exit(3)"], {0})
        with self.assertRaises(measure.Failed):
            measure.run(["/nowhere/program"], {0})


class Score(unittest.TestCase):
    def test_message_is_padded_to_words(self):
        packet = osc_score.message("/n_set", 1000, "gate", 1.0, b"abc")
        self.assertEqual(packet, b"/n_set\0\0,isfb\0\0\0" + struct.pack(">i", 1000) + b"gate\0\0\0\0" + struct.pack(">f", 1.0)
                         + struct.pack(">i", 3) + b"abc\0")  # fmt: skip

    def test_bundles_stand_in_order_of_time(self):
        score = osc_score.Score()
        score.add(2.5, b"late")
        score.add(0.0, b"one!")
        score.add(0.0, b"two!")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "s.osc"
            score.write(path)
            data, seen = path.read_bytes(), []
        while data:
            (size,) = struct.unpack(">i", data[:4])
            bundle, data = data[4 : 4 + size], data[4 + size :]
            self.assertEqual(bundle[:8], b"#bundle\0")
            whole, part, length = struct.unpack(">III", bundle[8:20])
            seen.append((whole + part / 2**32, bundle[20 : 20 + length]))
        self.assertEqual(seen, [(0.0, b"one!"), (0.0, b"two!"), (2.5, b"late")])


class Ours(unittest.TestCase):
    def fake(self, folder, text):
        path = Path(folder) / "tutti"
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
        path.chmod(0o755)
        return str(path)

    def test_what_lacks_a_key_is_not_measured(self):
        with tempfile.TemporaryDirectory() as folder:
            rows, missing = ours.rows(self.fake(folder, '{"voices": 4096}'))
        self.assertEqual(rows, [])
        self.assertIn("lacks audio_seconds", missing["ours"])

    def test_a_forced_instruction_set_must_be_answered(self):
        whole = {key: 1 for key in ours.KEYS} | {"isa": "sse2"}
        with tempfile.TemporaryDirectory() as folder:
            rows, missing = ours.rows(self.fake(folder, json.dumps(whole)))
        self.assertIn("ours", [row.key for row in rows])
        if "avx2" in bare_loop.supported():
            self.assertIn("answered with isa sse2", missing["ours-avx2"])

    def test_silent_voices_and_lost_events_are_no_measurement(self):
        whole = {key: 1 for key in ours.KEYS}
        for extra, text in (({"voices": 2, "sounding": 1}, "only 1 of 2"), ({"dropped_events": 3}, "3 events dropped")):
            with tempfile.TemporaryDirectory() as folder:
                rows, missing = ours.rows(self.fake(folder, json.dumps(whole | extra)))
            self.assertEqual(rows, [])
            self.assertIn(text, missing["ours"])

    def test_no_program_is_named(self):
        rows, missing = ours.rows(None)
        self.assertEqual((rows, len(missing)), ([], len(ours.VARIANTS)))


class Report(unittest.TestCase):
    def test_what_is_not_installed_stands_in_the_table(self):
        machine = dict(model="M", family="1", model_number="2", cores=2, clock_ghz=3.0, system="S", load_before=0, load_after=0)
        row = {"key": "csound", "system": "csound", "version": "", "work": "", "status": "not installed"}
        text = report.markdown({"machine": machine, "date": "today", "rows": [row], "comparisons": []})
        self.assertIn("| csound |  | | | | not installed | |", text)

    def test_differing_bits_are_said(self):
        one = {"isa": "avx2", "form": "pair", "cutoff_envelope": False, "checksum": "1"}
        self.assertIn("the same bits", bare_loop.same_bits([one, one | {"isa": "avx512"}]))
        self.assertIn("BITS DIFFER", bare_loop.same_bits([one, one | {"checksum": "2"}]))


class Command(unittest.TestCase):
    def compare(self):
        loader = importlib.machinery.SourceFileLoader("compare", str(ROOT / "profiling" / "compare"))
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader("compare", loader))
        loader.exec_module(module)
        return module

    def test_what_is_not_installed_or_fails_is_named(self):
        compare = self.compare()

        def fails(folder):
            raise measure.Failed("sclang is not installed")

        compare.PEERS = {"gone": (lambda folder: None, []), "broken": (fails, []), "there": (lambda folder: ["row"], [])}
        options = type("Options", (), {"peers": "gone,broken,there", "tutti": None})
        compare.ours.program = lambda given: None
        rows, missing = compare.collect(None, options)
        self.assertEqual(rows, ["row"])
        self.assertEqual((missing["gone"], missing["broken"]), ("not installed", "not measured: sclang is not installed"))

    def test_keep_takes_over_what_was_not_measured_and_only_that(self):
        def result(rows, pairs):
            return {
                "rows": [dict(key=key, samples=[0.0] * n) if n else dict(key=key) for key, n in rows.items()],
                "comparisons": [dict(subject_key=a, reference_key=b, **({"samples": [n]} if n else {})) for a, b, n in pairs],
            }

        old = result({"a": 9, "b": 9, "reference": 9}, [("a", "reference", 1), ("b", "reference", 2)])
        new = result({"a": 3, "b": 0, "reference": 3}, [("a", "reference", 5), ("b", "reference", 0)])
        self.compare().keep(new, old)
        self.assertEqual([len(row["samples"]) for row in new["rows"]], [3, 9, 9])
        self.assertEqual([pair["samples"] for pair in new["comparisons"]], [[5], [2]])

    def test_unknown_peer_is_refused(self):
        done = subprocess.run(
            [sys.executable, "-B", str(ROOT / "profiling" / "compare"), "--peers", "scsynt"],
            capture_output=True,
            check=False,
        )
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"unknown peer scsynt", done.stderr)


class Probe(unittest.TestCase):
    def test_every_instruction_set_and_grouping_gives_the_same_bits(self):
        sets = [name for name in bare_loop.supported() if name in PROBES]
        if not {"avx2", "avx512"} & set(sets):
            self.skipTest("no probe with fma was built, or this machine cannot run one")
        variants = []
        for name in sets:
            text = measure.run([PROBES[name], "--all", "--voices", "300", "--seconds", "0.3"], {0})[2]
            variants += [dict(json.loads(line), isa=name) for line in text.splitlines()]
        self.assertIn("the same bits", bare_loop.same_bits(variants))
        for v in variants:
            # Another association of the same filter, and SSE2's second rounding, move the level by far less than 1 %.
            same = [w["rms"] for w in variants if w["cutoff_envelope"] == v["cutoff_envelope"]]
            self.assertLess(max(same) / min(same), 1.01)
            self.assertGreater(v["peak"], 0.05)


class Alias(unittest.TestCase):
    def test_known_saws_and_a_planted_tone(self):
        python = next((p for p in (sys.executable, "/usr/bin/python3") if Path(p).exists() and subprocess.run(
            [p, "-c", "import numpy"], capture_output=True, check=False).returncode == 0), None)  # fmt: skip
        if python is None:
            print("SKIP: numpy is not installed; the alias analysis was not run", file=sys.stderr)
            self.skipTest("no numpy")
        done = subprocess.run(
            [python, "-B", str(ROOT / "profiling" / "alias.py"), "--self-test"], capture_output=True, text=True, check=False
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("planted tone", done.stdout)


if __name__ == "__main__":
    assert importlib.util.find_spec("peers")
    unittest.main()
