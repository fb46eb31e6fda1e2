#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fault 71: memory that grows: hours of random patches, streams, clips and jobs on a fake clock leave less than 10 MB, no thread and no file behind
fault 73: stuck notes after long play: when every key is let go every voice ends

usage: soak_test.py TUTTI [green|leak|thread|file]. The hours of sound are TUTTI_SOAK_HOURS, a tenth without; `./test full` asks for 8."""
import json
import os
import subprocess
import sys
import tempfile

TUTTI, WHAT = sys.argv[1], sys.argv[2]
HOURS = float(os.environ.get("TUTTI_SOAK_HOURS", "0.1"))


def soak(hours, *more):
    done = subprocess.run([TUTTI, "soak", "--hours", str(hours), "--fake-clock", "--json", "--quiet", *more], capture_output=True)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


def green():
    with tempfile.TemporaryDirectory() as folder:
        picture = os.path.join(folder, "soak.png")
        code, told = soak(HOURS, "--plot", picture)
        print(json.dumps(told))
        with open(picture, "rb") as file:
            assert file.read(8) == b"\x89PNG\r\n\x1a\n"
    assert code == 0 and told["verdict"] == "pass", told["verdict"]
    assert told["audio_minutes"] >= 60 * HOURS - 0.1
    assert told["memory_growth_mb"] < 10 and told["underruns"] == 0
    assert told["threads"][0] == told["threads"][1] and told["fds"][0] == told["fds"][1]
    assert told["notes"] > 10000 * HOURS and told["streams_opened"] > 10 * HOURS


def planted(words, *more):
    """Red controls: what is planted is named, and nothing else is."""
    code, told = soak(0.05, *more)
    print(told["verdict"])
    assert code == 1 and words in told["verdict"] and ";" not in told["verdict"], told


if __name__ == "__main__":
    {"green": green,
     "leak": lambda: planted("memory grew", "--plant-leak", "40000"),
     "thread": lambda: planted("threads more", "--plant", "thread"),
     "file": lambda: planted("open files more", "--plant", "file")}[WHAT]()
