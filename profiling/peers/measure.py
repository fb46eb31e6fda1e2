# SPDX-License-Identifier: MIT
"""Runs programs pinned to cores, takes their CPU and wall time, and turns pairs of runs into medians with an interval.

CPU time is user + system of the child as the kernel counts it (wait4), so that other work on the machine disturbs it
less than the wall clock. Start-up (loading, parsing, tables) is removed by the difference of a long and a short run of
the same work.
"""

import os
import random
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from typing import Callable


class Failed(Exception):
    """A program did not start, failed, or printed what cannot be read; the text is one line for the table."""


@dataclass
class Row:
    """One measurable piece of work of one system."""

    key: str
    system: str
    work: str  # what differs from work W: oscillator, filter, modulation
    voices: int
    command: Callable[[float], list]  # audio seconds -> argv
    version: str = ""
    block: int = 64
    threads: int = 1
    environment: dict = field(default_factory=dict)
    note: str = ""
    seconds: tuple = ()  # (short, long), found by calibrate
    samples: list = field(default_factory=list)  # real-time voices, one each long-short difference
    with_start_up: list = field(default_factory=list)
    reason: str = ""  # why there are no samples

    @property
    def clock(self):
        """Threads share the work, so only one thread can be read from CPU time."""
        return "cpu" if self.threads == 1 else "wall"


def run(argv, cores, environment=None):
    """Runs argv on the given cores; returns (cpu seconds, wall seconds, standard output)."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        try:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, **(environment or {})},
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )
        except OSError as error:
            raise Failed(f"{argv[0]}: {error.strerror}") from error
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
        if child.returncode != 0:
            err.seek(0)
            lines = (err.read().decode("utf-8", "replace").strip() or text.strip() or "no message").splitlines()
            raise Failed(f"{os.path.basename(argv[0])} ended with {child.returncode}: {lines[-1][:160]}")
    return usage.ru_utime + usage.ru_stime, wall, text


def cores_of(row, first):
    available = sorted(os.sched_getaffinity(0))
    if row.threads > len(available):
        raise Failed(f"{row.threads} threads, {len(available)} cores")
    return set(available) if row.threads > 1 else {available[first % len(available)]}


def busy(samples=8, pause=0.05):
    """How many others want to run just now, on average: the kernel's count of runnable tasks less this one."""
    total = 0
    for _ in range(samples):
        with open("/proc/loadavg", encoding="ascii") as file:
            total += int(file.read().split()[3].split("/")[0]) - 1
        time.sleep(pause)
    return total / samples


def refuse_if_busy(row):
    others = busy() if row.clock == "wall" else 0.0
    if others > 0.5:
        raise Failed(f"{row.threads} threads are read from the wall clock, and others want to run here ({others:.1f} tasks)")


def timed(row, seconds, first_core=0):
    cpu, wall, _ = run(row.command(seconds), cores_of(row, first_core), row.environment)
    return cpu if row.clock == "cpu" else wall


def calibrate(row, target):
    """Chooses the two lengths so that the long run takes about `target` seconds, the short one a fifth of that."""
    refuse_if_busy(row)
    length = 1.0
    while True:
        spent = timed(row, 2 * length) - timed(row, length)
        if spent > 0.15 * target or length > 20000:
            break
        length *= 4 if spent < 0.04 * target else 2
    long = max(1.0, round(target * length / max(spent, 1e-6), 1))
    row.seconds = (max(0.5, round(long / 5, 1)), long)
    if row.seconds[0] >= long:
        row.seconds = (long / 2, long)


def sample(row, core):
    """One long-short difference; the core alternates between pairs so that neither row owns the quieter one."""
    refuse_if_busy(row)
    short, long = row.seconds
    first, second = timed(row, short, core), timed(row, long, core)
    if second <= first:
        raise Failed("the long run took no more time than the short one")
    row.samples.append(row.voices * (long - short) / (second - first))
    row.with_start_up.append(row.voices * long / second)
    return row.samples[-1]


def summary(values, seed=1):
    """Median and its 95 % interval by the percentile bootstrap (2,000 draws, seeded)."""
    if not values:
        return None
    draw = random.Random(seed)
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(2000))
    return {
        "median": statistics.median(values),
        "low": medians[49],
        "high": medians[1949],
        "min": min(values),
        "max": max(values),
        "count": len(values),
    }


def pairs(subject, reference, count, close_count):
    """Interleaved A B A B. Returns the ratios subject / reference; more pairs when they lie within 15 % of one another."""
    ratios = []
    while len(ratios) < count or (
        len(ratios) < close_count and abs(statistics.median(ratios) - 1) < 0.15
    ):
        core = len(ratios)
        before = sample(reference, core)
        ratios.append(sample(subject, core) / before)
    return ratios
