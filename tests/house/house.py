#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the structure of the project. usage: house.py CHECK ROOT [--build FOLDER] [--rooms a,b] [--full] [--compiler NAME]

Each check is a module check_<name>.py with check(tree), a tree that it passes (GREEN) and planted faults that it must name
(RED). Those run first, in a folder of their own; a check that does not find them has failed. Exit code 0: nothing to report,
1: faults, 77: the check could not run here and says why.
"""
import argparse
import importlib
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from check_format import Skip  # noqa: E402
from tree import Tree  # noqa: E402


def planted(files):
    folder = tempfile.TemporaryDirectory()
    for name, content in files.items():
        path = pathlib.Path(folder.name) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content() if callable(content) else content)
    return folder


def controls(module):
    """What the check got wrong about trees whose faults are known."""
    wrong = []
    with planted(module.GREEN) as folder:
        for fault in module.check(Tree(folder, rooms={"dsp", "voices", "engine"})):
            wrong.append(f"control: named in a tree without fault: {fault}")
    for files, must_name in module.RED:
        with planted(files) as folder:
            faults = module.check(Tree(folder, rooms={"dsp", "voices", "engine"}))
            if not any(must_name in fault for fault in faults):
                wrong.append(f"control: a planted fault was not named: {must_name!r}; named were {faults}")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("check")
    parser.add_argument("root")
    parser.add_argument("--build", default="")
    parser.add_argument("--rooms", default="dsp,voices,engine")
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--full", action="store_true", default=os.environ.get("TUTTI_HOUSE_FULL") == "1")
    arguments = parser.parse_args()
    module = importlib.import_module("check_" + arguments.check)
    if hasattr(module, "compiler"):
        module.compiler = arguments.compiler
    try:
        faults = controls(module)
        tree = Tree(arguments.root, arguments.build, arguments.rooms.split(","), arguments.full)
        faults += module.check(tree)
    except Skip as why:
        print(f"SKIP: {why}")
        return 77
    for fault in faults:
        print(fault)
    print(f"{arguments.check}: {len(module.RED)} planted faults named, {len(tree.files)} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
