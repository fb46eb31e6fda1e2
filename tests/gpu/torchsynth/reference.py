#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""torchsynth 1.0.2's own Voice in float64, with our noise as its table: what torchsynth_voice is compared with.

    reference.py compare BENCH      renders 64 random voices by both (BENCH: the program bench_torchsynth), prints each voice's
                                    distance in dB, ours and torchsynth's own FP32 run's
    reference.py excerpts OUT       writes the parameters and short excerpts that the test holds (voices.txt)
    reference.py bench BENCH        torchsynth and bench_torchsynth by turns: times real time, the ratio

Needs numpy, torch and torchsynth 1.0.2 (--no-deps: a stub stands for Lightning) in the Python that runs it.
"""
import json
import resource
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

import numpy as np
import torch


class LightningModule(torch.nn.Module):
    device = torch.device("cpu")


for name in ("lightning", "pytorch_lightning", "pytorch_lightning.core", "pytorch_lightning.core.lightning"):
    module = types.ModuleType(name)
    module.LightningModule = LightningModule
    module.Callback = module.Trainer = object
    sys.modules[name] = module
import torchsynth.util  # noqa: E402
from torchsynth.config import SynthConfig  # noqa: E402
from torchsynth.synth import Voice  # noqa: E402

VOICES, FRAMES, SEED = 64, 176400, 7
ADSRS = ["adsr_1", "adsr_2", "lfo_1_amp_adsr", "lfo_2_amp_adsr", "lfo_1_rate_adsr", "lfo_2_rate_adsr"]
TARGETS = ["vco_1_pitch", "vco_1_amp", "vco_2_pitch", "vco_2_amp", "noise_amp"]
ORDER = [("keyboard", "midi_f0"), ("keyboard", "duration")]
ORDER += [(a, p) for a in ADSRS for p in ("attack", "decay", "sustain", "release", "alpha")]
ORDER += [(f"lfo_{n}", p) for n in (1, 2)
          for p in ("frequency", "mod_depth", "initial_phase", "sin", "tri", "saw", "rsaw", "sqr")]
ORDER += [("mod_matrix", f"{s}->{t}") for s in ("adsr_1", "adsr_2", "lfo_1", "lfo_2") for t in TARGETS]
ORDER += [("vco_1", p) for p in ("tuning", "mod_depth", "initial_phase")]
ORDER += [("vco_2", p) for p in ("tuning", "mod_depth", "initial_phase", "shape")]
ORDER += [("mixer", p) for p in ("vco_1", "vco_2", "noise")]


def hash_word(x):
    x = x.astype(np.uint64) & 0xffffffff
    x ^= x >> 16
    x = x * 0x85ebca6b & 0xffffffff
    x ^= x >> 13
    x = x * 0xc2b2ae35 & 0xffffffff
    return x ^ x >> 16


def noise(voice):
    bits = hash_word(np.arange(FRAMES, dtype=np.uint64) * 0x9e3779b9 + voice + 1)
    return bits.astype(np.uint32).view(np.int32).astype(np.float64) / 2147483648.0


def make(dtype, voices):
    """A Voice whose parameters have FP32 values in human units, the same for both precisions; nothing is normalised."""
    torch.manual_seed(SEED)
    torch.set_default_dtype(torch.float32)
    voice = Voice(SynthConfig(voices, reproducible=False))
    human = np.zeros((voices, len(ORDER)), np.float32)
    for i, (module, parameter) in enumerate(ORDER):
        p = getattr(voice, module).torchparameters[parameter]
        human[:, i] = p.from_0to1().detach().numpy()
        value = torch.from_numpy(human[:, i].copy()).to(dtype)
        p.from_0to1 = types.MethodType(lambda self, value=value: value, p)
    voice = voice.to(dtype)
    torch.set_default_dtype(dtype)
    for module in voice.modules():
        if hasattr(module, "synthconfig"):
            module.synthconfig.sample_rate = torch.tensor(44100.0, dtype=dtype)
            module.synthconfig.control_rate = torch.tensor(441.0, dtype=dtype)
    voice.noise.noise = torch.from_numpy(np.stack([noise(v) for v in range(voices)])).to(dtype)
    return voice, human


def sound(dtype, voices=VOICES):
    voice, human = make(dtype, voices)
    keep = torchsynth.util.normalize_if_clipping
    pi = torch.pi
    torchsynth.util.normalize_if_clipping = lambda signal: signal
    if dtype == torch.float64:
        torch.pi = np.pi  # torchsynth overwrites it by acos(0) in FP32: 9e-8 too large, in every phase
    with torch.no_grad():
        out = voice.output().as_subclass(torch.Tensor).numpy().astype(np.float64)
    torchsynth.util.normalize_if_clipping = keep
    torch.pi = pi
    torch.set_default_dtype(torch.float32)
    return out, human


def ours(bench, human, isa=""):
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "in"), Path(folder, "out")
        human.tofile(given)
        subprocess.run([bench, "--render", given, made] + ([isa] if isa else []), check=True)
        return np.fromfile(made, np.float32).reshape(-1, FRAMES).astype(np.float64)


def distance(a, reference):
    """dB below each voice's own level; a voice below -60 dBFS is held to -120 dBFS."""
    error = np.sqrt(np.mean((a - reference) ** 2, axis=1))
    level = np.maximum(np.sqrt(np.mean(reference ** 2, axis=1)), 1e-3)
    return 20 * np.log10(np.maximum(error / level, 1e-12))


def compare(bench, isa=""):
    reference, human = sound(torch.float64)
    single, _ = sound(torch.float32)
    mine = distance(ours(bench, human, isa), reference)
    theirs = distance(single, reference)
    for v in range(VOICES):
        print(f"voice {v:2d}: ours {mine[v]:7.1f} dB   torchsynth FP32 {theirs[v]:7.1f} dB   note {human[v, 0]:5.1f} "
              f"depths {human[v, ORDER.index(('vco_1', 'mod_depth'))]:6.1f} {human[v, ORDER.index(('vco_2', 'mod_depth'))]:6.1f}")
    print(json.dumps({"voices": VOICES, "ours_worst_db": round(float(mine.max()), 1),
                      "ours_median_db": round(float(np.median(mine)), 1),
                      "torchsynth_fp32_worst_db": round(float(theirs.max()), 1),
                      "torchsynth_fp32_median_db": round(float(np.median(theirs)), 1)}))
    return 0 if mine.max() <= -60 else 1


def excerpts(path):
    """Twelve windows of 24 frames a voice, from the first frame to the last, in units of 1e-6."""
    reference, human = sound(torch.float64)
    starts = [int(round(i * (FRAMES - 24) / 11.0)) for i in range(12)]
    with open(path, "w") as file:
        file.write("# torchsynth 1.0.2 Voice in float64: a line of 78 parameters a voice, then its excerpts in 1e-6\n")
        file.write(f"{VOICES} {len(starts)} 24 " + " ".join(map(str, starts)) + "\n")
        for v in range(VOICES):
            file.write(" ".join(f"{x:.9g}" for x in human[v]) + "\n")
            level = np.sqrt(np.mean(reference[v] ** 2))
            file.write(f"{level:.6g} " + " ".join(str(int(round(x * 1e6))) for s in starts for x in reference[v, s:s + 24]))
            file.write("\n")
    return 0


def bench(program):
    """By turns, wall and processor time: on a busy machine only the latter says something."""
    torch.set_num_threads(2)
    wall, busy, mine_wall, mine_busy = {}, {}, [], []
    repeats = 4
    for turn in range(3):
        for batch in (32, 64, 128):
            voice = Voice(SynthConfig(batch, reproducible=False))
            with torch.no_grad():
                if turn == 0:
                    voice.output()
                begin, cpu = time.perf_counter(), time.process_time()
                voice.output()
                took, used = time.perf_counter() - begin, time.process_time() - cpu
            wall[batch] = max(wall.get(batch, 0.0), batch * 4 / took)
            busy[batch] = max(busy.get(batch, 0.0), batch * 4 / used)
            del voice
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run([program, "128", "4", "2", str(repeats)], check=True, capture_output=True, text=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        mine_wall.append(json.loads(out)["times_real_time"])
        mine_busy.append(128 * 4 * (repeats + 1) / used)  # one run warms up
    mine_wall, mine_busy = sorted(mine_wall)[1], sorted(mine_busy)[1]
    print(json.dumps({"torch": torch.__version__, "threads": 2, "torchsynth_times_real_time": {k: round(v) for k, v in wall.items()},
                      "ours_batch_128_times_real_time": mine_wall, "ratio": round(mine_wall / max(wall.values()), 1),
                      "torchsynth_times_real_time_a_core": {k: round(v) for k, v in busy.items()},
                      "ours_times_real_time_a_core": round(mine_busy), "ratio_of_processor_time": round(mine_busy / max(busy.values()), 1)}))
    return 0


if __name__ == "__main__":
    commands = {"compare": compare, "excerpts": excerpts, "bench": bench}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    sys.exit(commands[sys.argv[1]](*sys.argv[2:]))
