# SPDX-License-Identifier: MIT
"""Finds a Python with numpy and matplotlib: this one, Debian's, or a private environment with pinned versions."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

PINNED = ["numpy==1.26.4", "matplotlib==3.8.4"]
ROOT = Path(__file__).resolve().parent.parent.parent
PRIVATE = ROOT / ".cache" / "compare-python"


def _has(python, modules):
    return subprocess.run([python, "-c", f"import {', '.join(modules)}"], capture_output=True, check=False).returncode == 0


def ensure(*modules):
    """Returns when the modules can be imported here; otherwise starts the program again where they can."""
    if all(importlib.util.find_spec(module) for module in modules):
        return
    if os.environ.get("TUTTI_COMPARE_PYTHON"):  # already started again once
        raise SystemExit(f"{' and '.join(modules)} cannot be imported; install python3-numpy and python3-matplotlib")
    private = str(PRIVATE / "bin" / "python")
    python = next((p for p in ("/usr/bin/python3", private) if os.access(p, os.X_OK) and _has(p, modules)), None)
    if python is None:
        print(f"installing {', '.join(PINNED)} from PyPI into {PRIVATE}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(PRIVATE)], check=True)
        subprocess.run([private, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINNED], check=True)
        python = private
    os.execve(python, [python, *sys.argv], {**os.environ, "TUTTI_COMPARE_PYTHON": python})
