#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Doxygen reads every public header without a warning, and its pages name what the headers declare. A planted fault must be seen.

usage: reference_test.py ROOT OUT"""
import os
import pathlib
import re
import shutil
import subprocess
import sys


def run(root, out):
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    done = subprocess.run(["doxygen", "docs/reference/Doxyfile"], cwd=root, capture_output=True, text=True,
                          env={**os.environ, "TUTTI_REFERENCE_OUT": str(out)})
    return [line for line in (done.stdout + done.stderr).splitlines() if "warning" in line or "error" in line], done.returncode


def main():
    root, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    if not shutil.which("doxygen"):
        print("SKIP: doxygen is not installed")
        sys.exit(77)
    planted = out.parent / "planted"
    shutil.rmtree(planted, ignore_errors=True)
    for folder in ("include", "docs/reference"):
        shutil.copytree(root / folder, planted / folder)
    header = planted / "include/tutti/status.h"
    header.write_text(header.read_text() + "\n/// \\param nobody is no parameter\nint tutti_planted(int real);\n")
    faults, code = run(planted, out)
    assert code and faults, "a planted fault was not seen"
    faults, code = run(root, out)
    print("\n".join(faults))
    text = "".join(page.read_text(encoding="utf-8") for page in out.glob("*.html"))
    missing = [name for name in re.findall(r"(tutti_\w+)\(", (root / "include/tutti/tutti.h").read_text()) if name not in text]
    print("\n".join(f"{name} is not in the reference" for name in missing))
    print(f"{len(list(out.glob('*.html')))} pages")
    sys.exit(1 if code or faults or missing else 0)


if __name__ == "__main__":
    main()
