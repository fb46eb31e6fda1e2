# SPDX-License-Identifier: MIT
"""clang-format 14 would change nothing in our files. Other versions differ in detail, so no other will do."""
import shutil
import subprocess

from tree import CODE


class Skip(Exception):
    pass


def find():
    for name in ("clang-format-14", "clang-format"):
        path = shutil.which(name)
        if path and "version 14." in subprocess.run([path, "--version"], capture_output=True, text=True).stdout:
            return path
    raise Skip("clang-format 14 is not installed")


def check(tree):
    program = find()
    files = [f for f in tree.files if f.endswith(CODE)]
    if not files:
        return []
    if ".clang-format" not in tree.files:
        return [".clang-format is missing"]
    run = subprocess.run([program, "--dry-run", "--Werror", *files], cwd=tree.root, capture_output=True, text=True)
    faults = [line.split(" error:")[0] + " not as clang-format 14 writes it" for line in run.stderr.splitlines() if " error:" in line]
    seen, first = set(), []
    for fault in faults:
        file = fault.split(":")[0]
        if file not in seen:
            first.append(f"{fault} ({sum(f.startswith(file + ':') for f in faults)} places)")
        seen.add(file)
    if run.returncode and not first:
        return [run.stderr.strip()]
    return first


STYLE = "BasedOnStyle: LLVM\nIndentWidth: 4\n"
RED = [
    ({".clang-format": STYLE, "dsp/a.h": "int  a;\n"}, "dsp/a.h:1:"),
    ({"dsp/a.h": "int a;\n"}, ".clang-format is missing"),
]
GREEN = {".clang-format": STYLE, "dsp/a.h": "int a;\n"}
