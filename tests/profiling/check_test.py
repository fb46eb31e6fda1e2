#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""profiling/check finds a planted slow-down, and takes no busy machine for one."""
import importlib.machinery
import importlib.util
import itertools
import random
import sys
import unittest
from pathlib import Path

SCRIPT = Path(sys.argv.pop(1)) / "profiling" / "check"
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("check", str(SCRIPT))
spec = importlib.util.spec_from_loader("check", loader)
check = importlib.util.module_from_spec(spec)
loader.exec_module(check)


class Guard(unittest.TestCase):
    def measured(self, slow):
        """Two works of 3 s and 0.5 s beside a loop of 1 s, on a machine whose pace changes by a third from minute to minute."""
        random.seed(7)
        pace = itertools.accumulate((random.uniform(-0.02, 0.02) for _ in itertools.count()), initial=1.0)
        now = [1.0]

        def loop():
            now[0] = min(max(next(pace), 0.8), 1.3)
            return 1.0 * now[0] * random.uniform(0.99, 1.01)

        def work(name):
            return {"a": 3.0, "b": 0.5 * slow}[name] * now[0] * random.uniform(0.99, 1.01)

        return check.measure({"a": [], "b": []}, work, loop, 7)

    def test_nothing_changed(self):
        rows = check.verdicts(self.measured(1.0), {"a": 3.0, "b": 0.5})
        self.assertEqual([row[2] for row in rows], ["ok", "ok"])

    def test_red_control_a_planted_slow_down_is_named(self):
        rows = check.verdicts(self.measured(1.15), {"a": 3.0, "b": 0.5})
        self.assertEqual([(row[0], row[2]) for row in rows], [("a", "ok"), ("b", "SLOWER")])

    def test_small_changes_pass_large_gains_are_said(self):
        self.assertEqual(check.verdicts(self.measured(1.05), {"a": 3.0, "b": 0.5})[1][2], "ok")
        self.assertEqual(check.verdicts(self.measured(0.8), {"a": 3.0, "b": 0.5})[1][2], "faster")

    def test_a_work_without_a_baseline_is_no_slow_down(self):
        self.assertEqual(check.verdicts({"new": 1.0}, {})[0], ("new", None, "no baseline"))

    def test_the_baseline_that_is_committed_knows_every_work(self):
        import json
        stored = json.loads(check.BASELINE.read_text())
        self.assertTrue(stored)
        for isa, works in stored.items():
            self.assertEqual(set(works), set(check.WORKS), isa)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
