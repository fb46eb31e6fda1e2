# SPDX-License-Identifier: MIT
"""docs/reliability.md lists each fault, what is promised and the tests that hold it, as the tests themselves say: a name or a
comment in tests/ that reads "fault 7: what may go wrong: what happens instead". `python3 -B tests/house/check_reliability.py
ROOT` writes the page's table anew."""
import pathlib
import re
import sys

PAGE = "docs/reliability.md"
BEGIN, END = "<!-- faults: written by tests/house/check_reliability.py -->\n", "<!-- end of faults -->\n"
SAYS = re.compile(r'\bfault (\d+): ([^:"\n]+): ([^"\n]+)')

GROUPS = [
    ("The audio thread", {
        1: "a heap call in the callback", 2: "a lock in the callback", 3: "a system call in the callback",
        4: "a page fault or a switch of threads in the callback", 5: "logging from the callback",
        6: "an exception that crosses the callback", 7: "a block that is late", 8: "the click of a late block",
        9: "a render thread that dies or stalls", 10: "no privilege for real-time priority", 11: "false sharing of cache lines"}),
    ("Queues and memory order", {
        12: "a memory order that is too weak", 13: "a torn read", 14: "indices that wrap", 15: "a full or empty queue",
        16: "a queue that allocates", 17: "use after free at shutdown", 18: "the lifetime of published objects"}),
    ("Numbers", {
        19: "NaN or infinity in one voice", 20: "denormals", 21: "a changed floating-point state of the host",
        22: "SIMD unlike scalar", 23: "a sound that depends on its company", 24: "phase that drifts", 25: "extreme parameters",
        26: "loud bursts", 27: "aliasing and offset"}),
    ("Hosts and plugins", {
        28: "block sizes that change", 29: "strange sample rates", 30: "calls out of order", 31: "odd buffers",
        32: "parameters from several threads", 33: "a damaged or older project", 34: "a state loaded while it plays",
        35: "a preset that lacks something", 36: "an editor opened at the wrong time", 37: "a scan that touches the machine",
        38: "many instances", 39: "latency and tail not as reported", 40: "a bounce unlike what was heard",
        41: "a transport that jumps", 42: "other makers' hosts", 43: "symbols that clash"}),
    ("Events and files", {
        44: "notes without end or beginning", 45: "events late, unsorted or by the thousand", 46: "a broken MIDI stream",
        47: "a broken MIDI file", 48: "a broken sound file", 49: "a hostile patch", 50: "hostile text for the tokenizer",
        51: "odd names and paths"}),
    ("Devices", {
        61: "a device that vanishes", 62: "a block size or rate that changes", 63: "no device at all",
        64: "a MIDI port that vanishes", 65: "a backend that is lost", 66: "a backend that is slow",
        67: "device memory that runs full", 68: "a driver that is absent or too old", 69: "a graph replayed with other parameters",
        70: "a clock that jumps"}),
    ("Long runs, resources, builds", {
        71: "memory that grows", 72: "counters that overflow", 73: "stuck notes after long play", 74: "a full disk, no home folder",
        75: "two processes on the same files", 76: "a crash in the middle of writing", 77: "undefined behaviour, races, leaks",
        78: "a compiler other than ours", 79: "a changed binary interface", 80: "a dependency that moves"}),
]


def collect(tree):
    found = {}
    for file in tree.files:
        if not file.startswith("tests/") or file == "tests/house/check_reliability.py":
            continue
        # A C++ name may go on on the next line.
        for number, what, promise in SAYS.findall(re.sub(r'"\n\s*"', "", tree.text(file))):
            found.setdefault(int(number), []).append((what.strip(), promise.strip().rstrip("."), file))
    return found


def table(tree):
    found = collect(tree)
    lines = []
    for title, faults in GROUPS:
        lines += [f"### {title}", "", "| # | fault | what is promised | test |", "| --- | --- | --- | --- |"]
        for number, name in faults.items():
            for what, promise, file in found.get(number, []):
                lines.append(f"| {number} | {what} | {promise} | [{file[6:]}](../{file}) |")
            if number not in found:
                lines.append(f"| {number} | {name} | | no test yet |")
        lines.append("")
    return "\n".join(lines)


def cut(text):
    if BEGIN not in text or END not in text:
        return None
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    return text[:begin], text[begin:end], text[end:]


def check(tree):
    faults = []
    known = {number for _, group in GROUPS for number in group}
    for number, said in collect(tree).items():
        if number not in known:
            faults.append(f"{said[0][2]}: fault {number} is none of those in tests/house/check_reliability.py")
    if PAGE not in tree.files:
        return faults
    parts = cut(tree.text(PAGE))
    if parts is None:
        return faults + [f"{PAGE}: no place for the table of faults"]
    if parts[1] != table(tree):
        faults.append(f"{PAGE}: the table of faults is not what the tests say; python3 -B tests/house/check_reliability.py . writes it")
    return faults


RED = [
    ({"tests/a_test.cpp": 'TEST_CASE("fault 7: a late block: concealed") {}\n', PAGE: BEGIN + "old\n" + END}, "is not what the tests say"),
    ({"tests/a_test.cpp": 'TEST_CASE("fault 999: none such: never") {}\n'}, "fault 999 is none of those"),
    ({PAGE: "nothing\n"}, "no place for the table"),
]
GREEN = {"tests/a_test.cpp": 'TEST_CASE("fault 7: a late block: concealed") {}\n'}

if __name__ == "__main__":
    from tree import Tree

    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    before, _, after = cut((root / PAGE).read_text())
    (root / PAGE).write_text(before + table(Tree(root)) + after)
