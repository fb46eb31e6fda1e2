#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fault 79: a changed binary interface: a layout, value or function that programs were compiled against stays, or this names it

The C interface stays what programs were compiled against: layouts, values and function names are those of abi.txt, whose
lines may be added to and never changed within a minor version. The header holds at most 400 lines, includes nothing but
stdbool, stddef and stdint, is clean as C11, C++11 and C++20, and compiles in less than half of what <vector> takes (0.1 s where that
takes 0.2): how fast the machine is, and who else is busy on it, does not matter.

usage: abi_test.py --program tutti_abi --header tutti.h [--compiler c++] [--write]"""
import argparse
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

SNAPSHOT = pathlib.Path(__file__).with_name("abi.txt")


def faults_of(now, before):
    """Lines that were promised and are gone or others. Additions are no fault, but belong into the snapshot."""
    return [f"{line}: promised, and not so any more" for line in before if line not in now] + [
        f"{line}: not in abi.txt yet (abi_test.py --write)" for line in now if line not in before]


def lines_of(program, header):
    # A field's line says whose field it is.
    lines, owner = [], ""
    for line in subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines():
        owner = line.split()[1] if line.startswith("struct") else owner
        lines.append(f"{owner}.{line.strip()}" if line.startswith("  ") else line)
    text = re.sub(r"//[^\n]*", "", header.read_text())
    for declaration in re.findall(r"TUTTI_CAPI\s+([^;{]*?);", text):
        if "(" in declaration:
            lines.append("function " + re.sub(r"\s+", " ", re.sub(r"TUTTI_NO\w+", "", declaration)).strip())
    return lines


def header_faults(header, compiler):
    faults = []
    text = header.read_text()
    if len(text.splitlines()) > 400:
        faults.append(f"{header.name} has {len(text.splitlines())} lines, more than 400")
    for include in re.findall(r"#include\s*[<\"](.*?)[>\"]", text):
        if include not in ("stdbool.h", "stddef.h", "stdint.h"):
            faults.append(f"{header.name} includes {include}")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "header.c").write_text(f'#include "{header}"\nint main(void) {{ return (int)tutti_config_default().channels; }}\n')
        (folder / "vector.c").write_text("#include <vector>\nint main() { return 0; }\n")

        def compiled(name, language, standard):
            """The compiler's run, and its processor time in milliseconds."""
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            run = subprocess.run([compiler, "-x", language, f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-c",
                                  folder / f"{name}.c", "-o", folder / f"{name}.o"], capture_output=True, text=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return run, 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

        for language, standard in (("c", "c11"), ("c++", "c++11"), ("c++", "c++20")):
            best = known = 1e9
            for _ in range(5):
                run, took = compiled("header", language, standard)
                best, known = min(best, took), min(known, compiled("vector", "c++", "c++20")[1])
            print(f"{header.name} as {standard}: {best:.0f} ms of processor time, <vector> {known:.0f}")
            if run.returncode:
                faults.append(f"{header.name} as {standard}: {run.stderr.splitlines()[0]}")
            if best > 0.5 * known:
                faults.append(f"{header.name} as {standard}: {best:.0f} ms, more than half of <vector>'s {known:.0f}")
    return faults


def controls(now):
    """What the comparison must see."""
    assert faults_of(now[1:], now), "a line that is gone was not seen"
    assert faults_of([now[0] + "1", *now[1:]], now), "a line that changed was not seen"
    assert not faults_of(now, now)
    with tempfile.TemporaryDirectory() as folder:
        broken = pathlib.Path(folder) / "tutti.h"
        broken.write_text("#include <vector>\n" + "int unused;\n" * 401)
        found = header_faults(broken, "c++")
        assert any("400" in fault for fault in found) and any("includes vector" in fault for fault in found), found
        assert any("more than half" in fault for fault in found), found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--header", type=pathlib.Path, required=True)
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--write", action="store_true")
    a = parser.parse_args()
    now = lines_of(a.program, a.header)
    if a.write:
        SNAPSHOT.write_text("\n".join(now) + "\n")
    controls(now)
    faults = faults_of(now, SNAPSHOT.read_text().splitlines()) + header_faults(a.header, a.compiler)
    print("\n".join(faults) if faults else f"{len(now)} lines as promised")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
