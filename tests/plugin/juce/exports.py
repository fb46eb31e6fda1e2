#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""exports.py PLANTED PLUGIN...: a plugin shows its entry points and nothing else. PLANTED is one with a symbol too many, which must be
found."""
import subprocess
import sys

ALLOWED = {"GetPluginFactory", "ModuleEntry", "ModuleExit", "lv2_descriptor", "lv2ui_descriptor"}
PLANTED = "tutti_planted_symbol"


def faults_of(plugin):
    out = subprocess.run(["nm", "-D", "--defined-only", plugin], capture_output=True, text=True, check=True).stdout
    names = {line.split()[-1].split("@")[0] for line in out.splitlines() if line.strip()}
    name = plugin.rsplit("/", 1)[-1]
    print(f"{name}: {', '.join(sorted(names & ALLOWED))}")
    faults = [f"{name} also shows {extra}" for extra in sorted(names - ALLOWED)]
    return faults if names & ALLOWED else [*faults, f"{name} shows no entry point"]


def main(planted, *plugins):
    faults = [fault for plugin in plugins for fault in faults_of(plugin)]
    found = faults_of(planted)
    if len(found) != 1 or PLANTED not in found[0]:
        faults.append(f"the planted fault alone was to be found, not {found}")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
