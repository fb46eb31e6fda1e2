# SPDX-License-Identifier: MIT
"""The Synthesis ToolKit in C++."""

import subprocess
from pathlib import Path

from .measure import Row
from .tools import build, package_version

PACKAGES = ["libstk-dev"]
HERE = Path(__file__).parent


def version():
    return package_version("libstk-dev") if Path("/usr/include/stk/BlitSaw.h").exists() else None


def program(folder):
    return build(folder, HERE / "stk_voices.cpp", ["-std=c++17", "-O3", "-march=native"], ["-lstk"])


def rows(folder):
    known = version()
    if known is None:
        return None
    path = program(folder)
    return [Row("stk", "STK", "BlitSaw (double), BiQuad", 500, lambda seconds: [path, "500", f"{seconds:g}"], known, note="g++ -O3 -march=native")]


def alias_raw(folder, hz):
    out = folder / "stk-saw.f32"
    subprocess.run([program(folder), "1", "3", str(out), f"{hz:.9g}"], capture_output=True, check=True)
    return out
