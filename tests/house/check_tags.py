# SPDX-License-Identifier: MIT
"""Every public function in include/tutti/ ends its comment with who may call it: [audio], [render], [device], [worker],
[control] or [any]. A comment holds for the declarations below it up to the next blank line or comment. Functions tagged
[audio] or [render] are noexcept and carry TUTTI_NONBLOCKING. What is not written out in the header leaves the shared library:
it, or its class, is TUTTI_API. Destructors, defaulted and deleted functions, and default, copy
and move constructors and assignments need no tag: who owns an object makes and ends it on the control side."""
# fault 6: an exception that crosses the callback: none can, what is tagged [audio] or [render] is noexcept
import re

from tree import blank_comments

TAG = re.compile(r"\[(audio|render|device|worker|control|any)\b[^\]]*\]")
KEYWORDS = ("using", "typedef", "static_assert", "friend", "namespace", "template<>", "enum", "#", "extern template")


class Function:
    def __init__(self, name, text, line, end, exported):
        self.name, self.text, self.line, self.end, self.exported = name, text, line, end, exported


def functions(code):
    """Public function declarations in blanked code, by a walk over braces and semicolons."""
    # kind, visible here, class name, the class itself visible, the class leaves the library (or is a template)
    found, scopes = [], [("namespace", True, "", True, False)]
    start, i = 0, 0
    parens = 0
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code, flags=re.M)

    def statement(end):
        text = code[start:end]
        lead = len(text) - len(text.lstrip())
        return text.strip(), code.count("\n", 0, start + lead) + 1

    def consider(text, line, end):
        kind, visible, owner, _, exported = scopes[-1]
        if kind == "other" or not visible or not text or text.startswith(KEYWORDS):
            return
        head = re.sub(r"\[\[.*?\]\]", " ", text)
        head = re.sub(r"^\s*template\s*<.*?>\s*(?=\w|\[)", "", head, flags=re.S)
        match = re.search(r"((?:operator\s*(?:\(\)|[^\s(\w]+|[\w:<>*& ]+)|~?\w+))\s*\(", head)
        if not match:
            return
        before = head[: match.start()]
        if "=" in before or re.search(r"\(\s*\*\s*$|\(\*", head[: match.end() + 2]):
            return  # a variable with an initialiser, a pointer to function
        name = re.sub(r"\s+", " ", match.group(1)).strip()
        if name in ("alignas", "decltype", "noexcept", "requires", "sizeof", "if", "while"):
            return
        tail = head[match.end():]
        special = name.startswith("~") or re.search(r"=\s*(default|delete)\s*$", text)
        if owner and name == owner:
            inside = tail.split(")")[0].strip()
            special = special or inside in ("", "void") or re.fullmatch(r"(const\s+)?" + owner + r"\s*&&?\s*\w*", inside)
        if owner and re.match(r"operator\s*=$", name):
            special = True
        if not special:
            inside = code[end] == "{" or exported or re.search(r"\bTUTTI_\w*API\b|\bconstexpr\b|^template|\btemplate\s*<", text)
            found.append(Function(name, text, line, code.count("\n", 0, end) + 1, bool(inside)))

    while i < len(code):
        c = code[i]
        if c == "(":
            parens += 1
        elif c == ")":
            parens -= 1
        elif parens == 0 and c in ";{}:":
            text, line = statement(i)
            if c == ";":
                consider(text, line, i)
                start = i + 1
            elif c == ":":
                label = text.split()[-1] if text else ""
                if label in ("public", "private", "protected") and scopes[-1][0] == "class":
                    owner, outer, exported = scopes[-1][2:]
                    scopes[-1] = ("class", outer and label == "public", owner, outer, exported)
                    start = i + 1
            elif c == "{":
                bare = re.sub(r"\[\[.*?\]\]", " ", text)
                bare = re.sub(r"^\s*template\s*<[^{]*>\s*(?=class|struct)", "", bare, flags=re.S)
                kind = re.match(r"(?:inline\s+)?(namespace|class|struct|union|enum|extern)\b", bare)
                visible = scopes[-1][1]
                if kind and kind.group(1) in ("namespace", "extern") and "(" not in bare:
                    hidden = re.search(r"\b(detail|internal)\b", bare)
                    scopes.append(("namespace", visible and not hidden, "", True, False))
                elif kind and kind.group(1) in ("class", "struct", "union") and "(" not in bare:
                    names = re.findall(r"\w+", bare.split(":")[0])
                    names = [n for n in names[1:] if n not in ("TUTTI_API", "final", "alignas")]
                    public = kind.group(1) != "class"
                    exported = "TUTTI_API" in bare or text.lstrip().startswith("template") or scopes[-1][4]
                    scopes.append(("class", visible and public, names[0] if names else "", visible, exported))
                else:
                    if not kind:
                        consider(text, line, i)
                    scopes.append(("other", False, "", False, False))
                start = i + 1
            else:
                if len(scopes) > 1:
                    scopes.pop()
                start = i + 1
        i += 1
    return found


def comment_of(lines, function):
    """The comment that holds for a declaration: at its line's end, or the nearest above with no blank line between."""
    for number in range(function.line, min(function.end, len(lines)) + 1):
        line = lines[number - 1]
        at = line.find("//")
        if at > 0 and TAG.search(line[at:]):
            return line[at:]
    number = function.line - 1
    while number >= 1 and lines[number - 1].strip() and not lines[number - 1].lstrip().startswith("//"):
        number -= 1
    if number < 1 or not lines[number - 1].lstrip().startswith("//"):
        return ""
    return lines[number - 1].strip()


def check(tree):
    faults = []
    for file in tree.headers():
        if not file.startswith("include/tutti/"):
            continue
        raw = tree.text(file)
        lines = raw.splitlines()
        for function in functions(blank_comments(raw)):
            where = f"{file}:{function.line}: {function.name}"
            comment = comment_of(lines, function)
            tags = list(TAG.finditer(comment))
            if not tags or len(comment) - tags[-1].end() > 40:
                faults.append(f"{where}: its comment does not end with a thread tag")
                continue
            if not function.exported:
                faults.append(f"{where}: neither it nor its class is TUTTI_API: the shared library would hide it")
            if any(tag.group(1) in ("audio", "render") for tag in tags):
                if "TUTTI_NONBLOCKING" not in function.text:
                    faults.append(f"{where}: tagged {tags[0].group(0)} without TUTTI_NONBLOCKING")
                if not re.search(r"noexcept|TUTTI_NOEXCEPT", function.text) and not file.endswith("/tutti.h"):
                    faults.append(f"{where}: tagged {tags[0].group(0)} without noexcept")
    return faults


RED = [
    ({"include/tutti/a.h": "class A {\npublic:\n    int size() const; // [any]\n};\n"}, "a.h:3: size: neither it nor its class"),
    ({"include/tutti/a.h": "int size(); // [any]\n"}, "a.h:1: size: neither it nor"),
    ({"include/tutti/a.h": "namespace tutti {\n// Does it.\nvoid go();\n}\n"}, "a.h:3: go: its comment does not end"),
    ({"include/tutti/a.h": "namespace tutti {\n// Does it. [control]\n\nvoid go();\n}\n"}, "go: its comment does not end"),
    ({"include/tutti/a.h": "class A {\npublic:\n    int size() const { return m_size; }\n};\n"}, "size: its comment does not end"),
    ({"include/tutti/a.h": "template <class T>\nstruct A {\n    T& get() {\n        return x;\n    }\n    T x;\n};\n"}, "get: its"),
    ({"include/tutti/a.h": "class A {\npublic:\n    // Size. [audio]\n    int size() const noexcept;\n};\n"}, "without TUTTI_NONBLOCKING"),
    ({"include/tutti/a.h": "// Go. [render]\nvoid go() TUTTI_NONBLOCKING;\n"}, "go: tagged [render] without noexcept"),
    ({"include/tutti/a.h": "// Go [control] and then a long story about what else is done here and there.\nvoid go();\n"}, "go: its"),
    ({"include/tutti/a.h": "struct A {\n    // One. [control]\n    explicit A(int size);\n\n    A(int x, int y);\n};\n"}, "a.h:5: A: its"),
    ({"include/tutti/a.h": "struct A {\n    explicit operator bool() const noexcept { return true; }\n};\n"}, "operator bool: its"),
]
GREEN = {
    "include/tutti/a.h": """
namespace tutti {
inline constexpr int k_size = int(3);
using Callback = void (*)(int);
// Both. [any]
TUTTI_API int one(int x = f(3));
inline int two() { return 2; }
template <class T>
struct Plain {
    T get() const; // [any]
};
class TUTTI_API A {
public:
    A();
    A(A&&) noexcept;
    A& operator=(const A&) = delete;
    ~A();
    // Fills out[channel][frame]. [audio], by one thread at a time
    bool pull(float* const* out,
              int frames) noexcept TUTTI_NONBLOCKING;
    int latency() const noexcept; // [any]
    int value = g(1);

private:
    void secret();
    struct Impl;
};
enum class E { a, b };
} // namespace tutti
namespace tutti::detail {
void inner();
}
""",
    "engine/b.h": "void untagged();\n",
}
