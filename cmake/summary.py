#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sums up the lanes of ./test. usage: summary.py FOLDER

FOLDER holds one JUnit file a lane as CTest writes it, NAME.failed where a lane did not build and NAME.skipped where it
could not run. Names every failed and every skipped test, the latter with its reason (its first output line that begins
with "SKIP"). The last line is "N passed, N failed, N skipped"; the exit code is 1 where anything failed.
"""
import pathlib
import sys
import xml.etree.ElementTree as xml


def reason(case):
    for line in (case.findtext("system-out") or "").splitlines():
        if line.lstrip().startswith("SKIP"):
            return line.strip()
    return "no reason given"


def main():
    folder = pathlib.Path(sys.argv[1])
    passed, failed, skipped = 0, [], []
    for file in sorted(folder.glob("*.xml")):
        lane, good = file.stem, 0
        for case in xml.parse(file).getroot().iter("testcase"):
            name = f"{lane}: {case.get('name')}"
            if case.get("status") == "run":
                good += 1
            elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
                # A test whose program is not there is "notrun", too: that is a failure.
                message = (case.find("skipped").get("message") or "") if case.find("skipped") is not None else ""
                if "SKIP_RETURN_CODE" in message or case.get("status") == "disabled":
                    skipped.append(f"{name}: {reason(case)}")
                else:
                    failed.append(f"{name}: could not be started: {message}")
            else:
                failed.append(name)
        passed += good
        print(f"{lane}: {good} passed")
    for file in sorted(folder.glob("*.failed")):
        failed.append(file.read_text().strip())
    for file in sorted(folder.glob("*.skipped")):
        skipped.append(file.read_text().strip())
    for line in skipped:
        print(f"skipped  {line}")
    for line in failed:
        print(f"FAILED   {line}")
    if not passed and not failed:
        failed.append("no test ran")
        print("FAILED   no test ran")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
