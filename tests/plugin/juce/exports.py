#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""exports.py OTHER PLUGIN...: a plugin shows its entry points and nothing else. OTHER, a program that shows more, is the planted
fault: it must be found."""
import subprocess
import sys

ALLOWED = {"GetPluginFactory", "ModuleEntry", "ModuleExit", "lv2_descriptor", "lv2ui_descriptor"}


def shown(binary, more=()):
    out = subprocess.run(["nm", "-D", "--defined-only", *more, binary], capture_output=True, text=True, check=True).stdout
    return {line.split()[-1].split("@")[0] for line in out.splitlines() if line.strip()}


def main(other, *plugins):
    faults = []
    for plugin in plugins:
        names = shown(plugin)
        extra = sorted(names - ALLOWED)
        print(f"{plugin.rsplit('/', 1)[-1]}: {', '.join(sorted(names & ALLOWED))}")
        if extra:
            faults.append(f"{plugin} also shows {len(extra)} more: {', '.join(extra[:5])}")
        if not names & ALLOWED:
            faults.append(f"{plugin} shows no entry point")
    table = subprocess.run(["nm", "--defined-only", "--extern-only", other], capture_output=True, text=True, check=True).stdout
    planted = {line.split()[-1] for line in table.splitlines() if line.strip()} - ALLOWED
    if not planted:
        faults.append("the planted fault was not found")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
