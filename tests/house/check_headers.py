# SPDX-License-Identifier: MIT
"""Every header compiles alone, without a warning, with each compiler that is installed: the release compiler, clang 14 and
clang 22. The C header compiles as C11, too. `--compiler NAME` picks one."""
# fault 78: a compiler other than ours: every header compiles alone with g++ 12, clang 14 and clang 22, without a warning
import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from check_format import Skip
from tree import room_of

FLAGS = ["-fsyntax-only", "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-Wno-psabi"]
compiler = "g++"


def check(tree):
    program = shutil.which(compiler)
    if not program:
        raise Skip(f"{compiler} is not installed")
    jobs = []
    for file in tree.headers():
        room = room_of(file)
        if room == "include" or room in tree.rooms or (room == "tests" and "doctest" in tree.rooms and compiler == "g++"):
            jobs.append((file, "c++", FLAGS))
        if file == "include/tutti/tutti.h":
            jobs.append((file, "c", ["-fsyntax-only", "-std=c11", "-Wall", "-Wextra", "-pedantic", "-Werror"]))

    def one(job):
        file, language, flags = job
        command = [program if language == "c++" else program.replace("++", "cc" if program.endswith("g++") else ""), *flags,
                   f"-I{tree.root}", f"-I{tree.root / 'include'}", "-x", language, "-"]
        run = subprocess.run(command, input=f'#include "{file}"\n', capture_output=True, text=True)
        if run.returncode:
            reason = next((line for line in run.stderr.splitlines() if "error" in line), run.stderr.strip())
            return f"{file}: does not compile alone as {language} with {compiler}: {reason.strip()}"
        return None

    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        return [fault for fault in pool.map(one, jobs) if fault]


RED = [
    ({"dsp/a.h": "inline std::string f();\n"}, "dsp/a.h: does not compile alone"),
    ({"include/tutti/a.h": "inline int f(int unused) { return 1; }\n"}, "include/tutti/a.h: does not compile alone"),
    ({"include/tutti/tutti.h": "namespace a {}\n"}, "tutti.h: does not compile alone as c "),
]
GREEN = {"dsp/a.h": "#pragma once\n#include <string>\ninline std::string f();\n", "io/not_built.h": "#include <no/such.h>\n"}
