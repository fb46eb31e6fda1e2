# SPDX-License-Identifier: MIT
"""What can be read off a file's text: SPDX first lines, length, no path of somebody's machine, no package registry's host
name, no GNU extension outside a named macro; and no build product or fuzzer's leaving among the files."""
import re

from tree import CODE, SCRIPT, blank_comments

SPDX = "SPDX-License-Identifier: "
LONGEST = 400
REASON = re.compile(r"(?:Over|Longer than|More than) 400 lines: \w")
# A condition that keeps MSVC out names the extension as well as a macro does.
GUARD = re.compile(r"defined\s*\(?\s*(?:__GNUC__|__clang__)|!\s*defined\s*\(?\s*_MSC_VER")
# Put together here so that this file does not hold what it looks for.
MACHINE = re.compile("/" + r"(?:root|home/\w+|Users/\w+|work)" + "/" + r"|[A-Z]:\\\\?Users\\")
HOSTS = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "crates" + ".io", "conan" + ".io", "vcpkg" + ".io",
         "deb" + ".debian.org", "hugging" + "face.co", "docker" + ".io", "ghcr" + ".io", "rubygems" + ".org"]
NAMED = ("CMakeLists.txt", "Makefile", "packages.txt", "run", "test")
GNU = [
    (r"__attribute__", "__attribute__"),
    (r"__builtin_\w+", "a compiler's builtin"),
    (r"\b(?:__)?typeof(?:__)?\b", "typeof"),
    (r"(?:=|return)\s*\(\{", "a statement expression"),
    (r"\b(?:__asm__|__asm|asm)\b", "inline assembly"),
    (r"__int128|__extension__|__restrict__|__label__", "a GNU keyword"),
    (r"\bcase\s+[\w':]+\s*\.\.\.", "a case range"),
    (r"##\s*__VA_ARGS__", "## before __VA_ARGS__"),
    (r"\[\[\s*(?:gnu|clang)::", "a compiler's own attribute"),
    (r"__declspec", "__declspec"),
]


STRAY = re.compile(r"^(oom|crash|leak|timeout|slow-unit)-[0-9a-f]{8,}|\.(o|a|so|dll|exe|pyc|orig|rej|swp|wav|flac)$|^(core|a\.out)$")
LARGEST = 2_000_000  # bytes; a picture or a short piece of music stays far below


def wants_spdx(file):
    name = file.rsplit("/", 1)[-1]
    return file.endswith(CODE + SCRIPT + (".in", ".clang-format", ".clang-tidy")) or name in NAMED


def check(tree):
    faults = []
    for file in tree.files:
        path = tree.root / file
        if STRAY.search(path.name):
            faults.append(f"{file}: looks like something that a program left behind")
        if path.stat().st_size > LARGEST:
            faults.append(f"{file}: {path.stat().st_size} bytes; more than {LARGEST} does not belong here")
        if b"\0" in path.read_bytes()[:4096]:
            continue
        text = tree.text(file)
        lines = text.splitlines()
        if wants_spdx(file):
            first = lines[1] if lines and lines[0].startswith("#!") and len(lines) > 1 else lines[0] if lines else ""
            if SPDX not in first:
                faults.append(f"{file}:1: the first line (after #!) is no SPDX line")
        for number, line in enumerate(lines, 1):
            if MACHINE.search(line):
                faults.append(f"{file}:{number}: a path of somebody's machine: {MACHINE.search(line).group(0)}")
            for host in HOSTS:
                if host in line:
                    faults.append(f"{file}:{number}: a package registry's host: {host}")
        if file.endswith(CODE + SCRIPT) and len(lines) > LONGEST and not REASON.search("\n".join(lines[:15])):
            faults.append(f"{file}: {len(lines)} lines; over {LONGEST} the first comment says why (\"Over {LONGEST} lines: ...\")")
        if file.endswith(CODE):
            faults += gnu(file, text)
    return faults


def gnu(file, text):
    faults, in_macro, guards = [], False, []
    for number, line in enumerate(blank_comments(text).splitlines(), 1):
        directive = re.match(r"\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b(.*)", line)
        if directive:
            word = directive.group(1)
            if word.startswith("if"):
                guards.append(bool(GUARD.search(directive.group(2))))
            elif guards and word == "endif":
                guards.pop()
            elif guards:
                guards[-1] = bool(GUARD.search(directive.group(2)))
        in_macro = in_macro or bool(re.match(r"\s*#\s*define\s+TUTTI_", line))
        if not in_macro and not any(guards):
            for pattern, what in GNU:
                if re.search(pattern, line):
                    faults.append(f"{file}:{number}: {what} outside a TUTTI_ macro or a condition that names the compiler")
        in_macro = in_macro and line.rstrip().endswith("\\")
    return faults


MIT = "// " + SPDX + "MIT\n"
RED = [
    ({"oom-da39a3ee5e6b": ""}, "oom-da39a3ee5e6b: looks like"),
    ({"engine/a.o": ""}, "engine/a.o: looks like"),
    ({"docs/big.txt": "x" * (LARGEST + 1)}, "docs/big.txt: 2000001 bytes"),
    ({"engine/a.cpp": "int a;\n"}, "engine/a.cpp:1: the first line"),
    ({"cmake/a.py": "#!/usr/bin/env python3\nimport os\n"}, "cmake/a.py:1: the first line"),
    ({"engine/a.cpp": MIT + "int a;\n" * LONGEST}, f"engine/a.cpp: {LONGEST + 1} lines"),
    ({"docs/a.md": "see /" + "home/somebody/x\n"}, "docs/a.md:1: a path of somebody's machine"),
    ({"docs/a.md": "\nfetch from " + HOSTS[0] + "\n"}, "docs/a.md:2: a package registry's host"),
    ({"dsp/a.h": MIT + "inline __attribute__((always_inline)) int f();\n"}, "dsp/a.h:2: __attribute__ outside"),
    ({"dsp/a.h": MIT + "int b = __builtin_popcount(3);\n"}, "a compiler's builtin outside"),
    ({"dsp/a.h": MIT + "int b = ({ int c = 1; c; });\n"}, "a statement expression outside"),
    ({"dsp/a.h": MIT + "switch (a) { case 1 ... 5: break; }\n"}, "a case range outside"),
    ({"dsp/a.h": MIT + "[[gnu::noinline]] int f();\n"}, "own attribute outside"),
    ({"dsp/a.h": MIT + "typeof(1) b;\n"}, "typeof outside"),
    ({"dsp/a.h": MIT + "#if defined(__GNUC__)\n#else\ntypeof(1) b;\n#endif\n"}, "dsp/a.h:4: typeof outside"),
]
GREEN = {
    "engine/a.cpp": MIT + "// Over 400 lines: it is a table.\n" + "int a;\n" * LONGEST,
    "cmake/a.py": "#!/usr/bin/env python3\n# " + SPDX + "MIT\n",
    "dsp/a.h": MIT + "// not __attribute__\n#define TUTTI_INLINE \\\n    __attribute__((always_inline))\nf({1, 2});\n",
    "dsp/b.h": MIT + "#if A\n#elif !defined(_MSC_VER)\n__asm__ volatile(\"nop\");\n#endif\n",
}
