#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes models/tokenizer/unicode_case.inc: simple lower-case mappings, and which characters the rule of the final sigma passes
over or stops at, from the behaviour of Python's str.lower()."""
import sys
import unicodedata


def ranges(inside):
    found, start = [], None
    for code in range(0x110001):
        here = code < 0x110000 and not 0xD800 <= code < 0xE000 and inside(chr(code))
        if here and start is None:
            start = code
        if not here and start is not None:
            found.append((start, code - 1))
            start = None
    return found


def final_after(text):
    return (text + "\u03a3").lower()[-1] == "\u03c2"


def write_ranges(out, name, table, form):
    out.write(f"constexpr {name} = {{\n")
    line = "   "
    for row in table:
        item = " {" + form(row) + "},"
        if len(line) + len(item) > 118:
            out.write(line + "\n")
            line = "   "
        line += item
    out.write(line + "\n};\n")


mappings = [(code, ord(chr(code).lower())) for code in range(0x110000)
            if not 0xD800 <= code < 0xE000 and len(chr(code).lower()) == 1 and chr(code).lower() != chr(code)]
runs = []  # first, last, step, difference
for code, lower in mappings:
    if runs and lower - code == runs[-1][3]:
        first, last, step, difference = runs[-1]
        gap = code - last
        if gap in (1, 2) and (step in (0, gap)):
            runs[-1] = (first, code, gap, difference)
            continue
    runs.append((code, code, 0, lower - code))

out = open(sys.argv[1], "w")
out.write("// SPDX-License-Identifier: MIT\n")
out.write(f"// Made by models/tools/make_unicode_case.py from Unicode {unicodedata.unidata_version}.\n")
write_ranges(out, "CaseRun k_lower[]", [(f, l, max(1, s), d) for f, l, s, d in runs],
             lambda r: f"0x{r[0]:x}, 0x{r[1]:x}, {r[2]}, {r[3]}")
# Before a sigma: a cased letter makes it final, an ignorable character lets one look further back.
passed_over = lambda c: final_after("A" + c) and not final_after(c)
write_ranges(out, "CodeRange k_cased[]", ranges(final_after), lambda r: f"0x{r[0]:x}, 0x{r[1]:x}")
write_ranges(out, "CodeRange k_case_ignorable[]", ranges(passed_over), lambda r: f"0x{r[0]:x}, 0x{r[1]:x}")
