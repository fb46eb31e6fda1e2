# SPDX-License-Identifier: MIT
"""Small helpers: is a program there, what does it print, build a C or C++ source once."""

import hashlib
import shutil
import subprocess

from .measure import Failed


def found(program):
    return shutil.which(program) is not None


def text_of(argv):
    """Everything a program prints, whatever its exit status; version options often end with an error."""
    try:
        done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def package_version(package):
    """What Debian says of an installed package, or None."""
    text = text_of(["dpkg-query", "-W", "-f=${Status} ${Version}", package])
    return text.split()[-1] if text.startswith("install ok installed") else None


def compiler(*names):
    for name in names:
        if found(name):
            return name
    raise Failed("no compiler: " + " or ".join(names))


def build(folder, source, flags, libraries=(), with_compiler=None):
    """Compiles one source file into `folder`; the name holds a hash of everything that shapes the result."""
    cc = with_compiler or compiler("g++")
    key = hashlib.sha256((source.read_text() + " ".join([cc, *flags, *libraries])).encode()).hexdigest()[:12]
    program = folder / f"{source.stem}-{key}"
    if not program.exists():
        done = subprocess.run(
            [cc, *flags, str(source), "-o", str(program), *libraries], capture_output=True, check=False
        )
        if done.returncode != 0:
            lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if "error" in line]
            raise Failed(f"{source.name} does not build: {(lines or ['no message'])[0][:160]}")
    return str(program)
