#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a Whisper checkpoint of a real size with random weights, so that speed and memory can be measured without a download.

    python3 models/tools/random_whisper.py base out/base --dtype f16

Weights are scaled so that activations stay near one from the first layer to the last: none is constant, denormal or without bound.
The text such a model writes means nothing. Needs numpy."""
import argparse
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from whisper_layout import (GEOMETRIES, SafetensorsWriter, byte_letters, tensor_shapes, write_configs,  # noqa: E402
                            write_tokenizer)

import numpy  # noqa: E402

RANKS = 50257


def positions(count, width):
    """The encoder's sinusoids (first half sines, second half cosines)."""
    step = numpy.log(10000.0) / (width // 2 - 1)
    angle = numpy.arange(count)[:, None] * numpy.exp(-step * numpy.arange(width // 2))[None, :]
    return numpy.concatenate([numpy.sin(angle), numpy.cos(angle)], axis=1).astype("f4")


def values(name, shape, seed, layers):
    # Every tensor has a stream of numbers of its own: the same bits whatever else is made.
    random = numpy.random.Generator(numpy.random.PCG64([seed, zlib.crc32(name.encode())]))
    if name == "model.encoder.embed_positions.weight":
        return positions(*shape)
    noise = random.standard_normal(shape, dtype="f4")
    if "norm.weight" in name:
        return 1.0 + 0.05 * noise
    if name.endswith(".bias"):
        return 0.02 * noise
    if "embed_tokens" in name or "embed_positions" in name:
        return 0.05 * noise
    fan_in = numpy.prod(shape[1:])
    gain = 1.0
    if "out_proj" in name or "fc2" in name:
        gain = 1.0 / numpy.sqrt(2.0 * layers)  # residual branches add up
    elif "q_proj" in name or "k_proj" in name:
        gain = 1.5  # scores of about two: attention that is neither flat nor a single spike
    elif "conv" in name:
        gain = 1.5
    return noise * numpy.float32(gain / numpy.sqrt(fan_in))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", choices=sorted(GEOMETRIES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dtype", choices=["f32", "f16", "bf16"], default="f16")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    geometry = GEOMETRIES[arguments.size]
    arguments.folder.mkdir(parents=True, exist_ok=True)
    names = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}
    write_configs(arguments.folder, geometry, RANKS, [], [220, RANKS], [], names[arguments.dtype])
    letters = byte_letters()
    vocabulary = {letters[b]: b for b in range(256)}
    for i in range(256, RANKS - 1):  # pieces that no text is cut into; they decode to their own names
        vocabulary[f"w{i}"] = i
    vocabulary[""] = RANKS - 1
    write_tokenizer(arguments.folder, vocabulary, [], RANKS, geometry[6])
    shapes = tensor_shapes(geometry)
    writer = SafetensorsWriter(arguments.folder / "model.safetensors", shapes, arguments.dtype.upper())
    for name, shape in shapes.items():
        layers = geometry[0] if ".encoder." in name else geometry[1]
        writer.write(name, values(name, shape, arguments.seed, layers))
    writer.close()
    count = sum(int(numpy.prod(shape)) for shape in shapes.values())
    print(f"{arguments.folder}: {arguments.size}, {count / 1e6:.1f} M parameters, seed {arguments.seed}")


if __name__ == "__main__":
    main()
