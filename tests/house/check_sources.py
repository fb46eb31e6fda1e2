# SPDX-License-Identifier: MIT
"""Every source file is named in a CMakeLists.txt of its folder or of one above: a test that nobody builds passes for ever.
A file list made by a glob counts where it would find the file."""
import fnmatch
import pathlib
import re

SOURCES = (".cpp", ".c", ".cu", ".mm")


def check(tree):
    lists = {}
    for file in tree.files:
        if file.endswith("CMakeLists.txt"):
            text = re.sub(r"(?m)#.*$", "", tree.text(file))
            lists[str(pathlib.PurePosixPath(file).parent)] = set(re.findall(r"[\w./*${}-]+", text))
    faults = []
    for file in tree.files:
        # What the install test builds is a user's own project.
        if not file.endswith(SOURCES) or file.startswith("tests/install/consumers/"):
            continue
        path = pathlib.PurePosixPath(file)
        found = any("${PROJECT_SOURCE_DIR}/" + file in tree.text(f) for f in tree.files if f.endswith((".cmake", "CMakeLists.txt")))
        for folder in path.parents:
            rest = path.relative_to(folder).as_posix()
            words = lists.get(str(folder), ())
            # ${name} in a list may be anything: planted_${name}.cpp.
            found = found or any(fnmatch.fnmatch(rest, re.sub(r"\$\{\w+\}/?", "*", word)) for word in words if word.endswith(path.suffix))
        if not found:
            faults.append(f"{file}: no CMakeLists.txt names it, so nobody builds it")
    return faults


RED = [
    ({"tests/a/CMakeLists.txt": "tutti_test(NAME a.b SOURCES b_test.cpp)\n", "tests/a/c_test.cpp": ""}, "tests/a/c_test.cpp: no CMakeLists"),
    ({"engine/CMakeLists.txt": "# a.cpp\n", "engine/a.cpp": ""}, "engine/a.cpp: no CMakeLists"),
    ({"engine/CMakeLists.txt": "a.cpp\n", "engine/core/a.cpp": ""}, "engine/core/a.cpp: no CMakeLists"),
]
GREEN = {
    "engine/CMakeLists.txt": "target_sources(tutti PRIVATE core/a.cpp kernel_${isa}.cpp)\nfile(GLOB x more/*.cpp)\n",
    "engine/core/a.cpp": "",
    "engine/kernel_avx2.cpp": "",
    "engine/more/b.cpp": "",
}
