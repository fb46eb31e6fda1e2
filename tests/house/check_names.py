# SPDX-License-Identifier: MIT
"""Types CamelCase, functions and variables snake_case, members m_name, constants k_name, macros TUTTI_NAME: clang-tidy with
.clang-tidy, on every header; with `full`, on every source file in the build's compile commands as well."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from check_format import Skip
from tree import room_of


# C has no namespaces: tutti_name, TUTTI_NAME.
C_INTERFACE = "include/tutti/tutti.h"


def find():
    for name in ("clang-tidy-14", "clang-tidy"):
        if shutil.which(name):
            return shutil.which(name)
    raise Skip("clang-tidy is not installed (./test full installs it)")


def tidy(program, tree, file, flags):
    command = [program, f"--config-file={tree.root / '.clang-tidy'}", "--quiet", f"--header-filter=^{re.escape(str(tree.root))}/.*",
               file, *flags]
    run = subprocess.run(command, capture_output=True, text=True)
    faults = []
    for line in run.stdout.splitlines():
        found = re.match(r"(.+?):(\d+):\d+: (?:warning|error): (.*)", line)
        if found:
            name = found.group(1)
            if name.startswith(str(tree.root)):
                name = name[len(str(tree.root)) + 1:]
            if name != C_INTERFACE:
                faults.append(f"{name}:{found.group(2)}: {found.group(3)}")
    return faults


def check(tree):
    program = find()
    if ".clang-tidy" not in tree.files:
        return [".clang-tidy is missing"]
    headers = [f for f in tree.headers() if room_of(f) == "include" or room_of(f) in tree.rooms]
    jobs = []
    with tempfile.TemporaryDirectory() as scratch:
        by_room = {}
        for file in headers:
            by_room.setdefault(room_of(file), []).append(file)
        for room, files in by_room.items():
            source = pathlib.Path(scratch) / f"{room.replace('/', '_')}.cpp"
            source.write_text("".join(f'#include "{file}"\n' for file in files))
            jobs.append((str(source), ["--", "-std=c++20", f"-I{tree.root}", f"-I{tree.root / 'include'}"]))
        commands = pathlib.Path(tree.build) / "compile_commands.json" if tree.build else None
        if tree.full and commands and commands.exists():
            ours = {e["file"] for e in json.loads(commands.read_text()) if e["file"].startswith(str(tree.root) + "/")}
            ours -= {f for f in ours if f.startswith(str(tree.build))}
            jobs += [(file, [f"-p={tree.build}", "--extra-arg=-Wno-unknown-warning-option"]) for file in sorted(ours)]
        with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
            found = pool.map(lambda job: tidy(program, tree, *job), jobs)
            return sorted({fault for faults in found for fault in faults})


def rules():
    return (pathlib.Path(__file__).parents[2] / ".clang-tidy").read_text()


RED = [
    ({".clang-tidy": rules, "dsp/a.h": "struct bad_type {};\n"}, "dsp/a.h:1: invalid case style for struct 'bad_type'"),
    ({".clang-tidy": rules, "dsp/a.h": "inline void BadName() {}\n"}, "function 'BadName'"),
    ({".clang-tidy": rules, "dsp/a.h": "class A {\n    int size = 0;\n};\n"}, "member 'size'"),
    ({".clang-tidy": rules, "dsp/a.h": "inline constexpr int Limit = 3;\n"}, "'Limit'"),
    ({".clang-tidy": rules, "dsp/a.h": "#define LOUD 1\n"}, "macro definition 'LOUD'"),
    ({"dsp/a.h": "int a;\n"}, ".clang-tidy is missing"),
]
GREEN = {
    ".clang-tidy": rules,
    "dsp/a.h": "#pragma once\n#define TUTTI_X 1\ninline constexpr int k_limit = 3;\nstruct Plain {\n    int size = 0;\n};\n"
               "class A {\npublic:\n    int size() const { return m_size; }\n\nprivate:\n    int m_size = 0;\n};\n",
}
