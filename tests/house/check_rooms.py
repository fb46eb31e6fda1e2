# SPDX-License-Identifier: MIT
"""Who may include whom: dsp <- voices <- engine <- {gpu, models, io} <- {cli, plugin, python, examples, profiling, tests},
and which room may name which of other people's libraries."""
import re

from tree import blank_comments, room_of

# Rooms that a room's files may include besides their own. The plugin knows the public headers only, the examples those and the rooms
# that are installed as components.
MAY_ENTER = {
    "include": set(),
    "dsp": set(),
    "voices": {"include", "dsp"},
    "engine": {"include", "dsp", "voices"},
    "gpu": {"include", "dsp", "voices", "engine"},
    "models": {"include", "dsp", "engine"},
    "io": {"include", "dsp", "voices", "engine"},
    "cli": {"include", "dsp", "voices", "engine", "gpu", "models", "io", "profiling"},
    "plugin": {"include"},
    "python": {"include", "dsp", "voices", "engine", "gpu", "models", "io"},
    "examples": {"include", "voices", "io", "models", "gpu"},
    "profiling": {"include", "dsp", "voices", "engine", "gpu", "models", "io"},
    "tests": {"include", "dsp", "voices", "engine", "gpu", "models", "io", "cli", "python", "profiling", "plugin"},
}
# platform.h holds macros and no more: the one public header that dsp may see.
EVERYWHERE = {"tutti/platform.h"}

LIBRARIES = [
    (r"(juce_\w+/|JuceHeader\.h)", {"plugin", "tests"}, "JUCE"),
    (r"(portaudio|pa_\w+)\.h", {"io"}, "PortAudio"),
    (r"(rtmidi/)?RtMidi\.h", {"io"}, "RtMidi"),
    (r"sndfile\.hh?", {"io"}, "libsndfile"),
    (r"soxr\.h", {"io"}, "soxr"),
    (r"cairo/", {"io"}, "Cairo"),
    (r"kissfft/", {"io"}, "kissfft"),
    (r"(torch|ATen|c10)/", {"gpu/torch", "models"}, "libtorch"),
    (r"(cuda\w*|cu(fft|blas|rand|solver|sparse|dnn)\w*|nvrtc|cooperative_groups)(\.h|/)", {"gpu/cuda"}, "CUDA"),
    (r"Metal/", {"gpu/metal"}, "Metal"),
    (r"xsimd/", {"dsp"}, "xsimd"),
    (r"(concurrentqueue/|concurrentqueue\.h)", {"engine", "tests"}, "moodycamel's queue"),
    (r"nlohmann/", {"engine", "models", "io", "cli", "plugin", "python", "profiling", "tests"}, "nlohmann-json"),
    (r"CLI/", {"cli"}, "CLI11"),
    (r"doctest/", {"tests"}, "doctest"),
    (r"(nanobind|pybind11)/", {"python"}, "the Python binding library"),
]
# dsp is arithmetic alone, and so are the voices: no threads, files or memory of their own.
NO_SYSTEM = {"thread", "mutex", "shared_mutex", "condition_variable", "future", "fstream", "iostream", "filesystem", "cstdio"}


def included_room(name, file, tree):
    if name.startswith("tutti/"):
        return "include"
    first = name.split("/")[0]
    return first if first in MAY_ENTER and "/" in name else room_of(file)


def check(tree):
    faults = []
    xsimd_in = []
    for file in tree.code():
        room = room_of(file)
        top = room.split("/")[0]
        if top not in MAY_ENTER:
            faults.append(f"{file}: {top or 'the top folder'} is no room; code stands in one of {', '.join(MAY_ENTER)}")
            continue
        text = blank_comments(tree.text(file), strings=False)
        for number, line in enumerate(text.splitlines(), 1):
            found = re.match(r'\s*#\s*(?:include|import)\s*([<"])([^>"]+)[>"]', line)
            if not found:
                continue
            name, where = found.group(2), f"{file}:{number}"
            if name in EVERYWHERE:
                continue
            if "../" in name:
                faults.append(f"{where}: {name} climbs out of its folder; includes are spelt from the root")
            library = next(((rooms, what) for pattern, rooms, what in LIBRARIES if re.match(pattern + ".*", name)), None)
            if library:
                if room not in library[0] and top not in library[0]:
                    faults.append(f"{where}: {library[1]} stands only in {', '.join(sorted(library[0]))}")
                elif name.startswith("xsimd/"):
                    xsimd_in.append(file)
                continue
            if top in ("dsp", "voices") and name in NO_SYSTEM:
                faults.append(f"{where}: <{name}> in {top}, which has no threads, files or memory of its own")
            other = included_room(name, file, tree)
            if other not in (room, top) and other not in MAY_ENTER[top]:
                faults.append(f"{where}: {top} may not include {other} ({name})")
    if len(set(xsimd_in)) > 1:
        faults.append("xsimd is named in more than one header: " + ", ".join(sorted(set(xsimd_in))))
    return faults


RED = [
    ({"dsp/a.h": '#include "voices/b.h"\n'}, "dsp/a.h:1: dsp may not include voices"),
    ({"voices/a.h": '#include "engine/b.h"\n'}, "voices may not include engine"),
    ({"include/tutti/a.h": '#include "dsp/b.h"\n'}, "include may not include dsp"),
    ({"engine/core/a.cpp": '#include "io/file.h"\n'}, "engine may not include io"),
    ({"io/a.cpp": '#include "cli/b.h"\n'}, "io may not include cli"),
    ({"examples/a.cpp": '#include "engine/b.h"\n'}, "examples may not include engine"),
    ({"plugin/a.cpp": '#include "dsp/b.h"\n'}, "plugin may not include dsp"),
    ({"engine/a.cpp": "#include <sndfile.h>\n"}, "libsndfile stands only in io"),
    ({"cli/a.cpp": "#include <portaudio.h>\n"}, "PortAudio stands only in io"),
    ({"cli/a.cpp": "#include <rtmidi/RtMidi.h>\n"}, "RtMidi stands only in io"),
    ({"engine/a.cpp": "#include <torch/types.h>\n"}, "libtorch stands only in"),
    ({"gpu/torch/a.cpp": "#include <cuda_runtime.h>\n"}, "CUDA stands only in gpu/cuda"),
    ({"cli/a.cpp": "#include <juce_core/juce_core.h>\n"}, "JUCE stands only in plugin"),
    ({"engine/a.cpp": "#include <xsimd/xsimd.hpp>\n"}, "xsimd stands only in dsp"),
    ({"dsp/a.h": "#include <xsimd/xsimd.hpp>\n", "dsp/b.h": "#include <xsimd/xsimd.hpp>\n"}, "more than one header: dsp/a.h, dsp/b.h"),
    ({"dsp/a.h": "#include <mutex>\n"}, "<mutex> in dsp"),
    ({"engine/a.cpp": '#include "../voices/b.h"\n'}, "climbs out"),
    ({"misc/a.cpp": "int a;\n"}, "misc is no room"),
]
GREEN = {
    "dsp/a.h": "// #include <mutex>\n#include <cmath>\n#include <xsimd/xsimd.hpp>\n#include <tutti/platform.h>\n",
    "voices/a.h": '#include "dsp/a.h"\n#include <tutti/parameter.h>\n',
    "engine/core/a.cpp": '#include <concurrentqueue/concurrentqueue.h>\n#include "voices/a.h"\n',
    "io/a.cpp": '#include <sndfile.h>\n#include "engine/core/b.h"\n',
    "gpu/cuda/a.cu": '#include <cuda_runtime.h>\n#include "voices/a.h"\n',
    "tests/io/a.cpp": '#include "io/a.h"\n#include <doctest/doctest.h>\n',
}
