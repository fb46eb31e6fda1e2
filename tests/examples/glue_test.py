#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The glue for other people's engines, which are not here: Godot's is compiled against declarations of our own, Unity's imports
and Unreal's calls are compared with tutti.h, and the C# is compiled where a compiler is. Planted faults must be seen.

usage: glue_test.py ROOT SCRATCH COMPILER"""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT, SCRATCH, COMPILER = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
GODOT = ["classes/audio_frame.hpp", "classes/audio_server.hpp", "classes/audio_stream.hpp", "classes/audio_stream_playback.hpp",
         "core/class_db.hpp", "godot.hpp", "variant/utility_functions.hpp"]


def declared():
    """name -> number of parameters, of every function in tutti.h."""
    text = re.sub(r"//.*", "", (ROOT / "include/tutti/tutti.h").read_text())
    found = {}
    for name, words in re.findall(r"TUTTI_CAPI[^;(]*?(\w+)\s*\(((?:[^()]|\([^()]*\))*)\)\s*TUTTI_NOEXCEPT", text):
        flat = re.sub(r"\([^()]*\)", "", words).strip()
        found[name] = 0 if flat in ("", "void") else flat.count(",") + 1
    for name in re.findall(r"inline tutti_config (\w+)\(void\)", text):
        found[name] = 0
    assert len(found) > 40, f"only {len(found)} functions were found in tutti.h"
    return found


def calls(text):
    """name -> numbers of arguments it is called with, from text without comments."""
    found = {}
    text = re.sub(r"//.*", "", text)
    for match in re.finditer(r"\b(tutti_\w+)\s*\(", text):
        depth, commas, i, empty = 1, 0, match.end(), True
        while depth and i < len(text):
            c = text[i]
            depth += (c in "([{") - (c in ")]}")
            commas += c == "," and depth == 1
            empty = empty and (c.isspace() or not depth)
            i += 1
        found.setdefault(match.group(1), set()).add(0 if empty else commas + 1)
    return found


def compare(name, text, header):
    faults = []
    for function, counts in calls(text).items():
        if function == "tutti_godot_init":  # its own
            continue
        if function not in header:
            faults.append(f"{name}: {function} is not in tutti.h")
        elif counts != {header[function]}:
            faults.append(f"{name}: {function} takes {header[function]} arguments, not {sorted(counts)}")
    return faults


def compiles(source, what):
    include = SCRATCH / "include"
    for file in GODOT:
        place = include / "godot_cpp" / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f'#include "{ROOT}/tests/examples/godot_cpp/declarations.h"\n')
    done = subprocess.run([COMPILER, "-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", f"-I{include}", f"-I{ROOT / 'include'}",
                           "-x", "c++", "-"], input=source, capture_output=True, text=True)
    return "" if done.returncode == 0 else f"{what}: {done.stderr[:600]}"


def main():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    header = declared()
    godot = (ROOT / "examples/glue/godot/tutti_stream.cpp").read_text()
    unity = (ROOT / "examples/glue/unity/TuttiSynth.cs").read_text()
    unreal = "\n".join(re.findall(r"```cpp\n(.*?)```", (ROOT / "docs/examples/unreal.md").read_text(), re.S))
    faults = [f for f in (compiles(godot, "godot"),) if f]
    for name, text in (("godot", godot), ("unity", unity), ("unreal", unreal)):
        assert calls(text), f"{name}: no call was found"
        faults += compare(name, text, header)
    # Unity writes the sample rate at byte 8 of the config, and a config has to fit into its block.
    faults += [f for f in (compiles("#include <cstddef>\n#include <tutti/tutti.h>\nstatic_assert(offsetof(tutti_config, sample_rate) == 8 && "
                                    "sizeof(tutti_config) <= 512, \"as TuttiSynth.cs has it\");\n", "unity"),) if f]
    if compiler := shutil.which("mcs"):
        stub = SCRATCH / "unity.cs"
        stub.write_text("namespace UnityEngine { public class MonoBehaviour {} public class AudioSource {} public static class AudioSettings "
                        "{ public static int outputSampleRate = 48000; } public static class Debug { public static void LogError(object o) {} }\n"
                        "public class RequireComponent : System.Attribute { public RequireComponent(System.Type t) {} } }\n")
        done = subprocess.run([compiler, "-target:library", f"-out:{SCRATCH / 'a.dll'}", str(stub), str(ROOT / "examples/glue/unity/TuttiSynth.cs")],
                              capture_output=True, text=True)
        faults += [f"unity: {done.stdout}{done.stderr}"] if done.returncode else []
    else:
        print("note: no C# compiler (mcs); the C# is compared with tutti.h alone")
    # Planted faults.
    assert compiles(godot.replace("tutti_note_off(m_sender", "tutti_note_off(m_engine", 1), "planted"), "a planted type was not seen"
    assert compare("planted", "tutti_note_on(a, b);", header) and compare("planted", "tutti_no_such(a);", header), "a planted call was not seen"
    print("\n".join(faults) or "the glue fits tutti.h")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
