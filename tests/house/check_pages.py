# SPDX-License-Identifier: MIT
"""Links in our pages lead to files that are there, and every page of docs/ stands in its index, docs/README.md."""
import posixpath
import re

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s#]+)(#[^)]*)?\)")


def check(tree):
    faults = []
    files = set(tree.files)
    folders = {posixpath.dirname(f) for f in files}
    for page in tree.files:
        if not page.endswith(".md"):
            continue
        text = re.sub(r"^```.*?^```", lambda m: "\n" * m.group(0).count("\n"), tree.text(page), flags=re.M | re.S)
        for found in LINK.finditer(text):
            target = found.group(1)
            if "://" in target or target.startswith("mailto:"):
                continue
            path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
            if path not in files and path not in folders and not any(f.startswith(path + "/") for f in folders):
                faults.append(f"{page}:{text.count(chr(10), 0, found.start()) + 1}: the link {target} leads nowhere")
    if "docs/README.md" in files:
        index = tree.text("docs/README.md")
        for page in sorted(files):
            if re.fullmatch(r"docs/[^/]+\.md", page) and page != "docs/README.md" and f"({page[5:]})" not in index:
                faults.append(f"docs/README.md: {page} is not in the index")
    return faults


RED = [
    ({"README.md": "\n[there](docs/no.md)\n"}, "README.md:2: the link docs/no.md leads nowhere"),
    ({"docs/README.md": "nothing\n", "docs/a.md": "text\n"}, "docs/a.md is not in the index"),
    ({"docs/a.md": "![picture](img/no.png)\n"}, "the link img/no.png leads nowhere"),
]
GREEN = {
    "README.md": "[a](docs/a.md#part) [b](docs) [c](https://example.org/x)\n```\n[not](a link)\n```\n",
    "docs/README.md": "[a](a.md)\n",
    "docs/a.md": "[up](../README.md)\n",
}
