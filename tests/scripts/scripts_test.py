#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The scripts that everybody starts with: what ./run and ./test take to be missing, and how ./test counts.

usage: scripts_test.py ROOT
"""
import pathlib
import subprocess
import sys
import tempfile

JUNIT = """<?xml version="1.0"?>
<testsuite name="x" tests="4" failures="1" skipped="1">
<testcase name="good" status="run"><system-out>fine</system-out></testcase>
<testcase name="bad" status="fail"><failure message=""/><system-out>no</system-out></testcase>
<testcase name="away" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/><system-out>a
SKIP: no such compiler
</system-out></testcase>
<testcase name="gone" status="notrun"><skipped message="Unable to find executable"/><system-out></system-out></testcase>
</testsuite>
"""
faults = []


def expect(what, truth, found):
    print(("ok      " if truth else "FAILED  ") + what)
    if not truth:
        faults.append(what)
        print(found)


def summary(root, files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (pathlib.Path(folder) / name).write_text(text)
        return subprocess.run([sys.executable, "-B", str(root / "cmake" / "summary.py"), folder], capture_output=True, text=True)


def shell(root, script):
    command = f'set -euo pipefail; tutti_root="$1"; . "$1/cmake/setup.sh"; {script}'
    return subprocess.run(["bash", "-c", command, "bash", str(root)], capture_output=True, text=True)


def counting(root):
    done = summary(root, {"main.xml": JUNIT, "asan.failed": "asan: the build failed\n", "rtsan.skipped": "rtsan skipped: no clang\n"})
    lines = done.stdout.splitlines()
    expect("the last line counts all lanes", lines[-1] == "1 passed, 3 failed, 2 skipped", done.stdout)
    expect("a failure is an exit code", done.returncode == 1, done.returncode)
    expect("a failed test is named", "FAILED   main: bad" in lines, done.stdout)
    expect("a test without its program has failed", any(line.startswith("FAILED   main: gone") for line in lines), done.stdout)
    expect("a skipped test is named with its reason", "skipped  main: away: SKIP: no such compiler" in lines, done.stdout)
    good = JUNIT.split('<testcase name="bad"')[0] + "</testsuite>"
    done = summary(root, {"main.xml": good})
    expect("no failure, exit code 0", (done.returncode, done.stdout.splitlines()[-1]) == (0, "1 passed, 0 failed, 0 skipped"), done.stdout)
    done = summary(root, {})
    expect("a run without a test has failed", done.returncode == 1, done.stdout)


def packages(root):
    listed = shell(root, "tutti_packages core io test optional").stdout.splitlines()
    expect("the package list is read", any(line == "g++ g++" for line in listed) and any(line == "doctest-dev -" for line in listed), listed)
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder) / "a tree with blanks"
        (tree / "cmake").mkdir(parents=True)
        (tree / "cmake" / "setup.sh").write_text((root / "cmake" / "setup.sh").read_text())
        (tree / "cmake" / "packages.txt").write_text("[core]\nbash  # there\nno-such-package-here =sh\n[io]\nno-such-package-there  # why\n")
        done = shell(tree, "tutti_missing_packages core io")
        if done.returncode == 127:
            print("SKIP: no dpkg-query here")
            return
        expect("only what is missing is asked for", done.stdout.split() == ["no-such-package-there"], done.stdout + done.stderr)
        # No way to become root: a PATH without sudo, under another user's number where we are root.
        done = shell(tree, "id() { echo 1000; }; command() { [ \"$2\" != sudo ] && builtin command \"$@\"; }; tutti_install_packages core io")
        expect("without root and sudo it says so and fails", done.returncode == 1 and "neither root nor sudo" in done.stderr, done.stderr)
        done = shell(tree, "tutti_install_packages core; echo $tutti_installed")
        expect("with everything in place nothing is said or done", (done.stdout, done.stderr) == ("no\n", ""), done.stdout + done.stderr)


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    counting(root)
    packages(root)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
