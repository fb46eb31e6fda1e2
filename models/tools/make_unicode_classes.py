#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes models/tokenizer/unicode_classes.inc: the ranges of letters (L) and numbers (N), from Python's Unicode database."""
import sys
import unicodedata

def ranges(letter):
    found, start = [], None
    for code in range(0x110001):
        inside = code < 0x110000 and unicodedata.category(chr(code))[0] == letter
        if inside and start is None:
            start = code
        if not inside and start is not None:
            found.append((start, code - 1))
            start = None
    return found

out = open(sys.argv[1], "w")
out.write("// SPDX-License-Identifier: MIT\n")
out.write(f"// Made by models/tools/make_unicode_classes.py from Unicode {unicodedata.unidata_version}.\n")
for name, letter in (("k_letters", "L"), ("k_numbers", "N")):
    out.write(f"constexpr CodeRange {name}[] = {{\n")
    line = "   "
    for first, last in ranges(letter):
        item = f" {{0x{first:x}, 0x{last:x}}},"
        if len(line) + len(item) > 118:
            out.write(line + "\n")
            line = "   "
        line += item
    out.write(line + "\n};\n")
