#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Without an outside profiler its calls are nothing: the recorder compiles to the same bytes as one in which they never stood.

usage: outside_off_test.py COMPILER SOURCE"""
import pathlib
import re
import subprocess
import sys
import tempfile

COMPILER, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])


def compiled(text, *more):
    """The object's bytes; the file has the same name each time."""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "recorder.cpp").write_text(text)
        subprocess.run([COMPILER, "-std=c++20", "-O2", "-fPIC", f"-I{SOURCE}", f"-I{SOURCE}/include", *more, "-c", "recorder.cpp", "-o",
                        "recorder.o"], cwd=folder, check=True)
        return (pathlib.Path(folder) / "recorder.o").read_bytes()


def main():
    text = (SOURCE / "engine/trace/recorder.cpp").read_text()
    lines = [line for line in text.splitlines() if not re.search(r"if constexpr \(outside::|engine/trace/outside\.h", line)]
    bare = "\n".join(lines).replace("outside::k_present ? 2u : 0u", "0u") + "\n"
    assert "outside::" in text and "outside::" not in bare, "the calls are not where this test looks for them"
    assert len(text.splitlines()) - len(lines) >= 6
    # Line numbers would only show in debugging information and assertions, of which there are none.
    off = compiled(text)
    assert off == compiled(bare), "calls to a profiler that is not there leave something behind"
    # Red control: with a profiler they do.
    on = compiled(text, "-DTUTTI_TRACE_NVTX", f"-I{SOURCE}/tests/engine/trace/outside")
    assert on != off, "a profiler makes no difference: nothing was compared"
    print(f"{len(off)} bytes without, {len(on)} with a profiler")


if __name__ == "__main__":
    main()
