#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The scripts that everybody starts with: what ./run and ./test take to be missing, and how ./test counts.

usage: scripts_test.py ROOT
"""
import pathlib
import shutil
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


def expect(what, truth, found=""):
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


# Stand-ins for what a bare machine lacks. Each writes down how it was called; the program renders a file and has no device.
STAND_INS = {
    "id": "echo 0",
    "dpkg": "exit 0",
    "dpkg-query": 'for name; do case $name in -*) ;; *) [ -f "$STATE/installed" ] && echo "ii  $name" ;; esac; done; exit 0',
    "apt-cache": 'echo "  Candidate: 1.0"',
    "apt-get": 'case " $* " in *" install "*) touch "$STATE/installed" ;; esac',
    "cmake": """while [ $# -gt 0 ]; do [ "$1" = -B ] && folder=$2; shift; done
mkdir -p "$folder"; touch "$folder/build.ninja"; echo "CMAKE_HOME_DIRECTORY:INTERNAL=$TREE" >"$folder/CMakeCache.txt"
echo "-- Tutti 0.0.0, Release"; echo "--   core: yes"; echo "-- Configuring done"
""",
    "ninja": """folder=$2
if [ -x "$folder/cli/tutti" ]; then echo "ninja: no work to do."; exit 0; fi
mkdir -p "$folder/cli"; cp "$STATE/tutti" "$folder/cli/tutti"
echo "[1/2] Building a"; echo "[2/2] Linking b"
""",
}
PROGRAM = """#!/bin/sh
echo "tutti $*" >>"$STATE/calls"
case $1 in
render)
    [ -s "$2" ] || { echo "tutti: $2 is empty; nothing was rendered; name another" >&2; exit 4; }
    while [ $# -gt 0 ]; do case $1 in -o | --plot) echo sound >"$2"; shift ;; esac; shift; done
    echo chatter
    ;;
play) echo "no audio output device was found" >&2; exit "${PLAY_CODE:-3}" ;;
devices) echo '{"audio": []}' ;;
*) exit 2 ;;
esac
"""


def main_path(root):
    """./run on a machine with nothing of ours, then again, then with a file and with a sub-command."""
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        tree, state, tools = base / "a fresh clone", base / "state", base / "tools"
        for each in (tree / "cmake", tree / "cli", tree / "music", state, tools):
            each.mkdir(parents=True)
        for name in ("run", "CMakePresets.json", "cmake/setup.sh", "cmake/packages.txt"):
            (tree / name).write_bytes((root / name).read_bytes())
        (tree / "cli" / "CMakeLists.txt").touch()
        (tree / "music" / "scarborough-fair.mid").write_text("a song")
        (state / "tutti").write_text(PROGRAM)
        (state / "tutti").chmod(0o755)
        for name, text in STAND_INS.items():
            (tools / name).write_text("#!/bin/sh\n" + text + "\n")
            (tools / name).chmod(0o755)
        # Nothing else of this machine but the shell's usual tools, so that every package counts as missing.
        for name in ("sh bash env awk sed grep sort tee tail touch mkdir rm cp cat cksum flock basename dirname printf ls").split():
            found = shutil.which(name)
            if found:
                (tools / name).symlink_to(found)
        env = {"PATH": str(tools), "STATE": str(state), "TREE": str(tree), "HOME": folder}

        def call(*words, **more):
            return subprocess.run(["bash", str(tree / "run"), *words], capture_output=True, text=True, env={**env, **more}, cwd=folder)

        first = call()
        out = tree / "out" / "scarborough-fair.wav"
        expect("./run: a bare machine is set up and the piece rendered", first.returncode == 0 and out.read_text() == "sound\n", first.stderr)
        lines = first.stderr.splitlines()
        installing = [i for i, line in enumerate(lines) if line.startswith("will install from Debian: ")]
        expect("./run: it says what it will install before it does", len(installing) == 1 and " g++" in lines[installing[0]] and "installed" in lines[installing[0]:], lines)
        expect("./run: it says that it builds", any(line.startswith("building build/run") for line in lines), lines)
        expect("./run: standard output is where sound and picture are", first.stdout.splitlines() == [f"sound:   {out}", f"picture: {out.with_suffix('.png')}"], first.stdout)
        expect("./run: no device is one line and no failure", lines[-1] == "no audio output device was found", lines)
        second = call()
        expect("./run: the second call installs, configures and builds nothing",
               second.returncode == 0 and not [l for l in second.stderr.splitlines() if "install" in l or "build" in l or "configur" in l], second.stderr)
        song = base / "own song.mid"
        song.write_text("mine")
        own = call(str(song), "--seconds", "3")
        expect("./run FILE.mid: the user's file, options passed on", own.returncode == 0 and (tree / "out" / "own song.wav").exists() and "--seconds 3" in (state / "calls").read_text(), own.stderr)
        sub = call("devices", "--json")
        expect("./run SUBCOMMAND: its own output alone on standard output", (sub.returncode, sub.stdout, sub.stderr) == (0, '{"audio": []}\n', ""), sub.stdout + sub.stderr)
        song.write_text("")
        bad = call(str(song))
        expect("./run: a file that cannot be rendered fails with the program's code", bad.returncode == 4 and "nothing was rendered" in bad.stderr, bad.stderr)
        expect("./run: Ctrl-C in the player is told on", call(PLAY_CODE="130").returncode == 130)
        (tools / "ninja").write_text("#!/bin/sh\necho '[1/2] Building a'; echo 'a.cpp:1: error: planted'; exit 1\n")
        broken = call()
        expect("./run: a build that fails is shown and nothing is rendered", broken.returncode == 1 and "planted" in broken.stderr and broken.stdout == "", broken.stderr)


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    counting(root)
    packages(root)
    main_path(root)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
