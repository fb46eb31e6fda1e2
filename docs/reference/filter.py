#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What Doxygen is shown of a header: our plain comments as documentation. usage: filter.py HEADER"""
import re
import sys

TAGS = re.compile(r"\[(audio|render|device|worker|control|any)\]")


def words(text):
    """Nothing of ours is a command of Doxygen's or HTML."""
    text = re.sub(r"([\\@<>#&%|])", r"\\\1", text)
    text = re.sub(r"\b(\w+)\(\)", r"%\1()", text)  # no link where it stands for something else
    return TAGS.sub(r"**[\1]**", text)


def main():
    lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
    out, head = [], True
    for number, line in enumerate(lines):
        comment = re.match(r"(\s*)//(?!/)\s?(.*)$", line)
        if comment:
            if "SPDX" in line:
                out.append("")
                continue
            if head:  # the header's own words
                out.append(("/** @file\n * " if not out or not out[-1].startswith(" *") and "@file" not in out[-1] else " * ")
                           + words(comment.group(2)))
                following = lines[number + 1] if number + 1 < len(lines) else ""
                if not following.startswith("//"):
                    out[-1] += "\n */"
                    head = False
                continue
            out.append(f"{comment.group(1)}/// {words(comment.group(2))}")
            continue
        if line.strip():
            head = False
        trailing = re.match(r"(.*?[;,{}\w)])\s*//\s(.*)$", line)
        if trailing and '"' not in trailing.group(1):
            line = f"{trailing.group(1)} ///< {words(trailing.group(2))}"
        out.append(line)
    print("\n".join(out))


if __name__ == "__main__":
    main()
