#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lv2_validate_test.py BUNDLE.lv2: what lv2_validate finds in the bundle's descriptions.

One thing is let pass: LV2 gives groups and properties of ports to ports alone, and JUCE gives them to parameters, which are none; taken away,
hosts would show 375 numbers in one heap. The planted fault: the property of the presets without its declaration."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PASSES = re.compile(r"Subject not in domain <\S+lv2core#Port>\s+(\S+)\s+\S+(port-groups#group|lv2core#portProperty)\s")


def faults(bundle):
    files = sorted(map(str, bundle.glob("*.ttl")))
    done = subprocess.run(["lv2_validate", *files], capture_output=True, text=True, timeout=300)
    blocks = re.split(r"^(?=error:|warning:)", done.stdout + done.stderr, flags=re.M)
    found = [block for block in blocks if block.startswith(("error:", "warning:"))]
    if not re.search(r"checked \d+ restrictions", blocks[-1]):
        found.append(f"lv2_validate did not come to its end: {blocks[-1][-500:]}")
    return [block for block in found if not PASSES.search(block)], len(found)


def main(bundle):
    if shutil.which("lv2_validate") is None:
        print("SKIP: lv2_validate is not installed (Debian: lilv-utils, lv2-dev)")
        return 77
    wrong, count = faults(bundle)
    print(f"{count} remarks, {count - len(wrong)} of them groups and properties of parameters")
    for block in wrong[:20]:
        print(block)
    with tempfile.TemporaryDirectory() as scratch:
        planted = pathlib.Path(scratch) / bundle.name
        shutil.copytree(bundle, planted, ignore=shutil.ignore_patterns("*.so"))
        text = (planted / "dsp.ttl").read_text()
        (planted / "dsp.ttl").write_text(re.sub(r"<\S+:Program>\n\ta rdf:Property.*?\.\n\n", "", text, flags=re.S))
        if not any("Program" in block for block in faults(planted)[0]):
            wrong.append("the planted fault was not found")
            print(wrong[-1])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
