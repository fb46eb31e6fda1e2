#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the pages to what they show. Fenced blocks of README.md and docs/*.md:

    cpp, c   a block with a main function is a whole program: it is built against the library and run
    sh       every line is run, or, where running it here would be running this test, looked up

usage: readme.py extract ROOT OUT           writes the programs to OUT, one file each, and prints their names
       readme.py program ROOT FILE SCRATCH  runs one; it must succeed and leave sound that is not silence
       readme.py shell ROOT BUILD SCRATCH   runs the sh lines; without the tutti program only looks them up
       readme.py controls ROOT              planted faults that the above must name
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import wave

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", flags=re.M | re.S)


def pages(root):
    return [p for p in [root / "README.md", *sorted((root / "docs").glob("*.md"))] if p.exists()]


def blocks(root, languages):
    for page in pages(root):
        for number, found in enumerate(BLOCK.finditer(page.read_text()), 1):
            if found.group(1) in languages:
                yield page, number, found.group(1), found.group(2)


def extract(root, out):
    out.mkdir(parents=True, exist_ok=True)
    names = []
    for page, number, language, text in blocks(root, ("cpp", "c")):
        if not re.search(r"\bint main\s*\(", text):
            continue
        file = out / f"{page.stem.lower()}_{number}.{language}"
        text = f"// From {page.relative_to(root)}, block {number}.\n{text}"
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
        names.append(file.name)
    return names


def loudest(file):
    """Peak of a 16-bit WAV, 0..1."""
    with wave.open(str(file)) as sound:
        if sound.getsampwidth() != 2:
            return 1.0
        data = sound.readframes(sound.getnframes())
    values = memoryview(data).cast("h")
    return max((abs(v) for v in values), default=0) / 32768.0


def program(file, scratch):
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    done = subprocess.run([str(file)], cwd=scratch, capture_output=True, text=True, timeout=120)
    print(done.stdout + done.stderr, end="")
    faults = [] if done.returncode == 0 else [f"{file.name} ended with {done.returncode}"]
    for sound in scratch.glob("*.wav"):
        if loudest(sound) < 0.01:
            faults.append(f"{file.name} wrote {sound.name}, which is silence")
    return faults


def presets(root):
    return {p["name"] for p in json.loads((root / "CMakePresets.json").read_text())["configurePresets"]}


def finds(build, words):
    """What of a line about a build folder is not in this one: targets of ninja, files named build/PRESET/..."""
    if not (build / "plugin").is_dir():
        return ""  # built without the plugin
    if words[0] == "ninja":
        known = set(re.findall(r"^build ([^ :]+):", (build / "build.ninja").read_text(), flags=re.M))
        missing = [w for w in words[3:] if w not in known]
    else:
        missing = [w for w in words if w.startswith("build/") and not (build / w.split("/", 2)[2]).exists()]
    return f"not in a build: {', '.join(missing)}" if missing else ""


def names_a_test(build, name):
    listed = subprocess.run(["ctest", "--test-dir", str(build), "-N", "-R", name], capture_output=True, text=True).stdout
    return bool(re.search(r"^Total Tests: [1-9]", listed, flags=re.M))


def look_up(root, build, words):
    """What is wrong with a line that is not run here."""
    if words[0] in ("./test", ".ci/run"):
        script = root / words[0]
        if not os.access(script, os.X_OK):
            return f"{words[0]} is not there"
        known = subprocess.run([str(root / "test"), "--help"], capture_output=True, text=True).stdout
        if len(words) > 1 and f"./test {words[1]}" not in known and not names_a_test(build, words[1]):
            return f"./test does not know {words[1]}"
    if "--preset" in words:
        if words[words.index("--preset") + 1] not in presets(root):
            return f"no preset {words[words.index('--preset') + 1]}"
    return ""


def shell(root, build, scratch):
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    program_folder = build / "cli"
    have = (program_folder / "tutti").exists()
    env = {**os.environ, "TUTTI_BUILD": str(build), "TUTTI_OUT": str(scratch / "out"), "PATH": f"{program_folder}:{os.environ['PATH']}"}
    if (root / "music").is_dir():
        (scratch / "music").symlink_to(root / "music")
    faults, ran = [], 0
    for page, number, _, text in blocks(root, ("sh",)):
        for line in text.splitlines():
            for command in line.split("&&"):
                words = shlex.split(command, comments=True)
                if not words:
                    continue
                where = f"{page.relative_to(root)}, block {number}: {command.strip()}"
                if words[0] in ("git", "cd", "sudo", "./test", ".ci/run", "cmake", "ctest"):
                    wrong = look_up(root, build, words)
                    faults += [f"{where}: {wrong}"] if wrong else []
                elif words[:2] == ["ninja", "-C"] or words[0].startswith("build/") or (words[0] == "ls" and words[-1].startswith("build/")):
                    wrong = finds(build, words)
                    faults += [f"{where}: {wrong}"] if wrong else []
                elif words[0] in ("tutti", "./run"):
                    if words[0] == "./run" and not os.access(root / "run", os.X_OK):
                        faults.append(f"{where}: ./run is not there")
                    elif have:
                        words[0] = str(root / "run") if words[0] == "./run" else words[0]
                        done = subprocess.run(words, cwd=scratch, env=env, capture_output=True, text=True, timeout=600)
                        ran += 1
                        if done.returncode:
                            faults.append(f"{where}: ended with {done.returncode}: {done.stderr.strip()[-300:]}")
                else:
                    faults.append(f"{where}: a line that this test does not know how to run")
    for sound in scratch.glob("**/*.wav"):
        try:
            if loudest(sound) < 0.01:
                faults.append(f"{sound.name} is silence")
        except wave.Error:
            pass  # 32-bit float: not read here
    print(f"{ran} lines run")
    return faults


def controls(root):
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder)
        for name in ("run", "test", "CMakePresets.json", "cmake"):
            (tree / name).symlink_to(root / name)
        (tree / "README.md").write_text(
            "```cpp\nint f();\n```\n```cpp\nint main() { return 3; }\n```\n"
            "```sh\n./test nonsense-lane\ncmake --preset nowhere\nmake it\n"
            "ninja -C build/default planted_target\nls build/default/planted-file\n```\n")
        names = extract(tree, tree / "out")
        if names != ["readme_2.cpp"]:
            wrong.append(f"control: one whole program stands in the page, extracted were {names}")
        binary = tree / "program"
        subprocess.run(["c++", "-x", "c++", str(tree / "out" / "readme_2.cpp"), "-o", str(binary)], check=True)
        if not any("ended with 3" in fault for fault in program(binary, tree / "scratch")):
            wrong.append("control: a program that fails was taken for good")
        (tree / "no build" / "plugin").mkdir(parents=True)
        (tree / "no build" / "build.ninja").write_text("build another_target: phony\n")
        faults = shell(tree, tree / "no build", tree / "scratch")
        for must_name in ("nonsense-lane", "no preset nowhere", "make it: a line", "planted_target", "planted-file"):
            if not any(must_name in fault for fault in faults):
                wrong.append(f"control: not named: {must_name}; named were {faults}")
        with wave.open(str(tree / "quiet.wav"), "wb") as sound:
            sound.setparams((1, 2, 48000, 0, "NONE", ""))
            sound.writeframes(bytes(960))
        if loudest(tree / "quiet.wav") != 0.0:
            wrong.append("control: silence was taken for sound")
    return wrong


def main():
    what, root, *rest = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), *map(pathlib.Path, sys.argv[3:])
    if what == "extract":
        print(";".join(extract(root, rest[0])), end="")
        return 0
    faults = {"program": lambda: program(rest[0], rest[1]), "shell": lambda: shell(root, *rest), "controls": lambda: controls(root)}[what]()
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
