# SPDX-License-Identifier: MIT
"""Every option of the build has help text and stands in docs/building.md; nothing stands there that is no option. The same
for the presets."""
import json
import re

OPTION = re.compile(r'\boption\s*\(\s*(\w+)\s*("[^"]*")?|\bset\s*\(\s*(TUTTI_\w+)\s+(?:"[^"]*"|[^\s"()]+)\s+CACHE\s+\w+\s*("[^"]*")?')
PAGE = "docs/building.md"


def check(tree):
    faults, names = [], set()
    page = tree.text(PAGE) if PAGE in tree.files else ""
    for file in tree.files:
        if not (file.endswith("CMakeLists.txt") or file.endswith(".cmake")):
            continue
        text = re.sub(r"(?m)#.*$", "", tree.text(file))
        for found in OPTION.finditer(text):
            name = found.group(1) or found.group(3)
            if "$" in name:
                continue
            where = f"{file}:{text.count(chr(10), 0, found.start()) + 1}: {name}"
            names.add(name)
            if len(found.group(2) or found.group(4) or "") < 10:
                faults.append(f"{where} has no help text")
            if not name.startswith("TUTTI_"):
                faults.append(f"{where} does not begin with TUTTI_")
            if f"`{name}`" not in page:
                faults.append(f"{where} does not stand in {PAGE}")
    for name in re.findall(r"^\| `(TUTTI_[A-Z_]+)`", page, flags=re.M):
        if name not in names:
            faults.append(f"{PAGE}: {name} is no option of the build")
    if "CMakePresets.json" in tree.files:
        for preset in json.loads(tree.text("CMakePresets.json"))["configurePresets"]:
            if f"`{preset['name']}`" not in page:
                faults.append(f"CMakePresets.json: the preset {preset['name']} does not stand in {PAGE}")
    return faults


RED = [
    ({"CMakeLists.txt": "option(TUTTI_A OFF)\n", PAGE: "`TUTTI_A`\n"}, "CMakeLists.txt:1: TUTTI_A has no help text"),
    ({"CMakeLists.txt": '\noption(TUTTI_A "A good thing" OFF)\n', PAGE: ""}, "CMakeLists.txt:2: TUTTI_A does not stand in"),
    ({"cmake/a.cmake": 'set(TUTTI_B "" CACHE STRING "A good thing")\n', PAGE: ""}, "TUTTI_B does not stand in"),
    ({"CMakeLists.txt": 'option(LOUD "A good thing" OFF)\n', PAGE: "`LOUD`"}, "LOUD does not begin with"),
    ({PAGE: "| `TUTTI_GONE` | x |\n"}, "TUTTI_GONE is no option"),
    ({"CMakePresets.json": '{"configurePresets": [{"name": "odd"}]}', PAGE: ""}, "the preset odd does not stand"),
]
GREEN = {
    "CMakeLists.txt": '# option(X)\noption(TUTTI_A "A good thing" OFF)\nset(TUTTI_B ${auto} CACHE STRING "Another thing")\n',
    PAGE: "| `TUTTI_A` | a |\n| `TUTTI_B` | b |\n",
}
