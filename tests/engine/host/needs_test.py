#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fault 68: a driver that is absent or too old: nothing is linked to one, the list of backends says cpu, and it plays

usage: needs_test.py READELF FILE..."""
import json
import os
import re
import subprocess
import sys
import tempfile

DRIVERS = re.compile(r"lib(cuda|cudart|nvrtc|nvidia|torch|c10|hip|amdhip|OpenCL|ze_loader|vulkan)[\w.-]*", re.I)


def drivers(dynamic_section):
    """The libraries of drivers that must be there before the file can even be loaded."""
    needed = re.findall(r"\(NEEDED\).*?\[(.*?)\]", dynamic_section)
    return [name for name in needed if DRIVERS.match(name)]


def main():
    readelf, files = sys.argv[1], sys.argv[2:]
    # Red control.
    assert drivers(" 0x01 (NEEDED)  Shared library: [libcuda.so.1]\n 0x01 (NEEDED) Shared library: [libc.so.6]") == ["libcuda.so.1"]
    for file in files:
        told = subprocess.run([readelf, "-d", file], capture_output=True, text=True, check=True).stdout
        assert "(NEEDED)" in told, f"{file}: nothing is needed: this is no dynamic file"
        assert not drivers(told), f"{file} cannot be loaded without {drivers(told)}"
        print(f"{os.path.basename(file)}: no driver is needed")
        if os.path.basename(file) != "tutti":
            continue
        # No driver of any kind is found: its folder is not on the path, and no device is visible.
        bare = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": "", "LD_LIBRARY_PATH": ""}
        for ask in ("auto", "cuda"):
            done = subprocess.run([file, "devices", "--json"], capture_output=True, text=True, timeout=120,
                                  env={**bare, "TUTTI_BACKEND": ask})
            assert done.returncode == 0, done.stderr
            seen = json.loads(done.stdout)
            assert seen["compute"] == ["cpu"], seen["compute"]
            assert seen["render_thread"] == "cpu" and seen["render_thread_reason"], seen
            with tempfile.TemporaryDirectory() as folder:
                sound = os.path.join(folder, "a.wav")
                done = subprocess.run([file, "phrase", "Am F C G", "-o", sound, "--seconds", "1", "--quiet"], capture_output=True,
                                      text=True, timeout=120, env={**bare, "TUTTI_BACKEND": ask})
                assert done.returncode == 0 and os.path.getsize(sound) > 10000, done.stderr
            print(f"TUTTI_BACKEND={ask}: {seen['render_thread']}, {seen['render_thread_reason']}")


if __name__ == "__main__":
    main()
