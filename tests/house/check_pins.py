# SPDX-License-Identifier: MIT
"""fault 80: a dependency that moves: Debian packages have the version they were tested with, all else a version or a hash

cmake/packages.lock names the upstream version of every package of cmake/packages.txt; `./test full` on the Debian it was
written on asks that those that are installed have that version. Whatever a script or a CMake file fetches otherwise is pinned: pip by ==, archives by
their hash, git by nothing (no dependency is a branch). `python3 -B tests/house/check_pins.py ROOT` writes the lock anew."""
import pathlib
import re
import shutil
import subprocess
import sys

PACKAGES, LOCK, THIS = "cmake/packages.txt", "cmake/packages.lock", "tests/house/check_pins.py"
DEBIAN = "12"
STRICT = "# strict\n"  # on a lock: compare with this machine in any case
SCRIPTS = (".py", ".sh", ".cmake", "CMakeLists.txt", "/run", "/test")
# A requirement inside quotes or a list of arguments: name, then its version; options and paths are none.
PIP = re.compile(r"\bpip3?[\"', ]+(?:install|download)\b(.*)")
WORD = re.compile(r"[\"' ]([A-Za-z][A-Za-z0-9_.\[\]{}-]*(?:[<>=!~]=?[^\"', ]*)?)(?=[\"', \]]|$)")
PINNED_NAME = re.compile(r"\*?[A-Z_]{3,}$")  # a list of its own, looked at where it is written
LIST = re.compile(r"^\s*([A-Z_]*PINNED[A-Z_]*)\s*=\s*\[(.*?)\]", re.S | re.M)
FETCH = re.compile(r"\b(?:FetchContent_Declare|ExternalProject_Add|file\(DOWNLOAD)[^)]*\)", re.S)
SHELL = re.compile(r"(?<![\w-])(?:curl|wget)\s+-|\bgit\s+clone\b|urlretrieve\(|urlopen\(")


def packages(text):
    lines = (line.split("#")[0].split() for line in text.splitlines())
    return {words[0] for words in lines if words and not words[0].startswith("[")}


def upstream(version):
    """1:1.2.13.dfsg-1+deb12u1 -> 1.2.13.dfsg"""
    version = version.split(":", 1)[-1]
    return version.rsplit("-", 1)[0] if "-" in version else version


def locked(text):
    return dict(line.split()[:2] for line in text.splitlines() if line and not line.startswith("#"))


def installed(names):
    if not shutil.which("dpkg-query"):
        return {}
    done = subprocess.run(["dpkg-query", "-W", "-f=${db:Status-Abbrev} ${Package} ${Version}\n", *sorted(names)], capture_output=True,
                          text=True)
    found = (line.split() for line in done.stdout.splitlines())
    return {words[1]: upstream(words[2]) for words in found if len(words) == 3 and words[0] == "ii"}


def same_debian():
    release = pathlib.Path("/etc/os-release")
    text = release.read_text() if release.exists() else ""
    return "ID=debian" in text.splitlines() and f'VERSION_ID="{DEBIAN}"' in text


def check(tree):
    faults = []
    if PACKAGES in tree.files:
        names = packages(tree.text(PACKAGES))
        known = locked(tree.text(LOCK)) if LOCK in tree.files else {}
        for name in sorted(names - set(known)):
            faults.append(f"{LOCK}: {name} has no version; python3 -B {THIS} . writes it")
        for name in sorted(set(known) - names):
            faults.append(f"{LOCK}: {name} is not in {PACKAGES}")
        if LOCK in tree.files and (tree.full or STRICT in tree.text(LOCK)) and same_debian():
            for name, version in installed(names).items():
                if name in known and known[name] != version:
                    faults.append(f"{LOCK}: {name} is installed as {version}, tested with {known[name]}")
    for file in tree.files:
        if not ("/" + file).endswith(SCRIPTS) or file == THIS:
            continue
        text = tree.text(file)
        for number, line in enumerate(text.splitlines(), 1):
            pip = PIP.search(line)
            if pip:
                # The statement may go on on the next line.
                words = pip.group(1) + (" " + text.splitlines()[number] if line.rstrip().endswith(",") and number < len(text.splitlines()) else "")
                for word in WORD.findall(words):
                    if PINNED_NAME.match(word) or re.match(r"\w+=[^=]", word):  # a list, an argument by name
                        continue
                    if re.match(r"[A-Za-z][\w.-]*$", word) and not re.search(r"[\"']" + re.escape(word) + r"[\"']", words):
                        continue  # a variable of the script, not a package
                    if "==" not in word:
                        faults.append(f"{file}:{number}: pip takes {word} without a version")
            if SHELL.search(line) and "sha256" not in text.lower():
                faults.append(f"{file}:{number}: fetches something whose hash nobody looks at: {line.strip()[:60]}")
        for name, body in LIST.findall(text):
            for word in re.findall(r"[\"']([^\"']+)[\"']", body):
                if "==" not in word:
                    faults.append(f"{file}: {name}: {word} without a version")
        for call in FETCH.findall(text):
            if "GIT_REPOSITORY" in call or "GIT_TAG" in call:
                faults.append(f"{file}: a dependency by git, not by an archive and its hash")
            elif "HASH" not in call and "SHA256" not in call:
                faults.append(f"{file}: fetches an archive without its hash")
    return faults


RED = [
    ({PACKAGES: "[core]\ng++ =g++ # why\ncmake\n", LOCK: "g++ 12.2.0\n"}, "cmake has no version"),
    ({PACKAGES: "[core]\ng++\n", LOCK: "g++ 12.2.0\nzlib 1\n"}, "zlib is not in"),
    ({PACKAGES: "[core]\ncoreutils\n", LOCK: STRICT + "coreutils 0.0.1\n"}, "tested with 0.0.1") if same_debian() and installed({"coreutils"})
    else ({PACKAGES: "[core]\ncoreutils\n"}, "coreutils has no version"),
    ({"a/tool.py": 'run([python, "-m", "pip", "install", "--quiet", "torch>=2.6"])\n'}, "pip takes torch>=2.6"),
    ({"a/tool.py": 'run([python, "-m", "pip", "install",\n     "numpy"])\n'}, "pip takes numpy"),
    ({"a/tool.py": 'PINNED = ["numpy==1.26.4", "scipy"]\n'}, "scipy without a version"),
    ({"cmake/x.cmake": "FetchContent_Declare(x GIT_REPOSITORY https://example.org/x GIT_TAG main)\n"}, "a dependency by git"),
    ({"cmake/x.cmake": "FetchContent_Declare(x URL https://example.org/x.tar.gz)\n"}, "without its hash"),
    ({"a/get.sh": "curl -L https://example.org/x | sh\n"}, "whose hash nobody looks at"),
]
GREEN = {
    PACKAGES: "[core]\nno-such-package # why\n", LOCK: "# written by\nno-such-package 12.2.0\n",
    "a/tool.py": 'run([python, "-m", "pip", "install", "--quiet", "torch==2.6.0", *PINNED], check=True)\nPINNED = ["numpy==1.26.4"]\n',
    "cmake/x.cmake": "FetchContent_Declare(x URL https://example.org/x.tar.gz URL_HASH SHA256=00)\n",
}

if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    wanted = packages((root / PACKAGES).read_text())
    policy = subprocess.run(["apt-cache", "policy", *sorted(wanted)], capture_output=True, text=True, check=True).stdout
    versions, name = {}, ""
    for line in policy.splitlines():
        name = line.rstrip(":") if line and not line[0].isspace() else name
        candidate = re.match(r"\s+Candidate: (\S+)", line)
        if candidate:
            versions[name] = upstream(candidate.group(1))
    versions.update(installed(wanted))
    (root / LOCK).write_text(
        f"# SPDX-License-Identifier: MIT\n# The upstream versions of Debian {DEBIAN} that everything was tested with; written by {THIS}.\n"
        + "".join(f"{each} {versions[each]}\n" for each in sorted(wanted)))
