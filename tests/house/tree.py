# SPDX-License-Identifier: MIT
"""A checkout as the checks see it: which files are ours, and which room each stands in."""
import fnmatch
import pathlib
import re

CODE = (".h", ".cpp", ".c", ".cu", ".cuh", ".mm", ".metal", ".inl")
SCRIPT = (".py", ".sh", ".cmake")


class Tree:
    def __init__(self, root, build="", rooms=(), full=False):
        self.root = pathlib.Path(root).resolve()
        self.build = build
        self.rooms = set(rooms)
        self.full = full
        self._ignored = self._read_ignored()
        self.files = sorted(self._walk(self.root))

    def _read_ignored(self):
        file = self.root / ".gitignore"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")] + [".git"]

    def _is_ignored(self, path):
        rel = path.relative_to(self.root).as_posix()
        for pattern in self._ignored:
            bare = pattern.strip("/")
            if fnmatch.fnmatch(rel, bare) or ("/" not in pattern.rstrip("/") and fnmatch.fnmatch(path.name, bare)):
                return True
        return False

    def _walk(self, folder):
        for path in folder.iterdir():
            if self._is_ignored(path) or path.is_symlink():
                continue
            if path.is_dir():
                yield from self._walk(path)
            else:
                yield path.relative_to(self.root).as_posix()

    def code(self):
        return [f for f in self.files if f.endswith(CODE)]

    def headers(self):
        return [f for f in self.files if f.endswith(".h")]

    def text(self, file):
        return (self.root / file).read_text(encoding="utf-8", errors="replace")


def room_of(file):
    """The room a file stands in; "gpu/torch" and its like keep both words, and so do those that stand on JUCE or CLAP."""
    parts = file.split("/")
    if len(parts) > 2 and (parts[0] == "gpu" or "/".join(parts[:2]) in ("plugin/juce", "plugin/clap", "tests/host")):
        return "/".join(parts[:2])
    return parts[0] if len(parts) > 1 else ""


def blank_comments(text, strings=True):
    """Comments (and the insides of strings) become spaces; line breaks stay where they are."""
    def blank(match):
        found = match.group(0)
        if found[0] == "/":
            return re.sub(r"[^\n]", " ", found)
        return found if not strings else found[0] + re.sub(r"[^\n]", " ", found[1:-1]) + found[-1]

    pattern = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''
    # Digit separators are no quotes.
    return re.sub(pattern, blank, re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "_", text), flags=re.S)
