# SPDX-License-Identifier: MIT
"""No weak symbol outside its own namespace in an instruction set's object file: the linker would keep one copy of an inline
function for all of them, and an AVX-512 one on an SSE2 machine is the end of the program.

usage: check_symbols.py NM COMPILER OBJECT...
"""
import pathlib
import re
import subprocess
import sys
import tempfile


def faults(nm, path, space):
    out = subprocess.run([nm, str(path)], capture_output=True, text=True, check=True).stdout
    found = []
    for line in out.splitlines():
        kind, name = line.split()[-2:]
        # A namespace is spelt with its length in a mangled name. Data of the compiler's own (DW.ref) holds no code.
        if kind in "WVu" and f"{len(space)}{space}" not in name and not name.startswith("DW.ref."):
            found.append(f"{path}: {name} ({kind})")
    return found


def main():
    nm, compiler, *objects = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "planted.cpp"
        source.write_text("inline int shared(int x) { return x + 1; }\nint (*keep())(int) { return shared; }\n")
        planted = source.with_suffix(".o")
        subprocess.run([compiler, "-O0", "-c", str(source), "-o", str(planted)], check=True)
        if not faults(nm, planted, "avx512"):
            print("the planted weak symbol was not found")
            return 1
    units = [o for o in objects if re.search(r"kernels_(\w+)\.cpp", o)]
    if len(units) < 2:
        print("no instruction set's object among", objects)
        return 1
    found = [f for o in units for f in faults(nm, o, re.search(r"kernels_(\w+)\.cpp", o).group(1))]
    print("\n".join(found) or f"{len(units)} objects, no weak symbol outside its namespace")
    return 1 if found else 0


sys.exit(main())
