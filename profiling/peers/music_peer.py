# SPDX-License-Identifier: MIT
"""One timed run of HeartMuLa in eager libtorch, in the way of the reference: expanded caches of the full length under a boolean
mask, a pair of rows for guidance, eight draws a frame from full-size exponential noise. Random ids as a prompt, loading excluded.

    music_peer.py FOLDER --frames 200 --prompt 300 --threads 2 --dtype float32

FOLDER is one that models/tools/random_heartmula.py made. Prints one JSON object."""

import argparse
import json
import math
import time
from pathlib import Path

import torch
import torch.nn.functional as F

FLAVOURS = {"llama-3B": (28, 24, 8, 3072, 8192, 8192), "llama-7B": (32, 32, 8, 4096, 14336, 8192),
            "llama-300M": (3, 8, 4, 3072, 8192, 2048), "llama-400M": (4, 8, 4, 3072, 8192, 2048)}  # fmt: skip
CODEBOOKS = 8


def read_tensors(folder, dtype):
    tensors = {}
    for path in sorted(folder.glob("*.safetensors")):
        raw = torch.from_file(str(path), shared=False, size=path.stat().st_size, dtype=torch.uint8)
        length = int.from_bytes(bytes(raw[:8].tolist()), "little")
        header = json.loads(bytes(raw[8 : 8 + length].tolist()))
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            begin, end = (8 + length + at for at in entry["data_offsets"])
            kind = {"BF16": torch.bfloat16, "F32": torch.float32, "F16": torch.float16}[entry["dtype"]]
            tensors[name] = raw[begin:end].clone().view(kind).reshape(entry["shape"]).to(dtype)
    return tensors


class Transformer:
    def __init__(self, tensors, prefix, flavour, batch, positions, dtype):
        self.layers, self.heads, self.key_heads, self.width, self.hidden, _ = flavour
        self.depth = self.width // self.heads
        self.weights = [{name: tensors[f"{prefix}.layers.{i}.{name}"] for name in
                         ("sa_norm.scale", "attn.q_proj.weight", "attn.k_proj.weight", "attn.v_proj.weight", "attn.output_proj.weight",
                          "mlp_norm.scale", "mlp.w1.weight", "mlp.w2.weight", "mlp.w3.weight")} for i in range(self.layers)]  # fmt: skip
        self.norm = tensors[f"{prefix}.norm.scale"]
        shape = (batch, self.heads, positions, self.depth)
        self.cache = [(torch.zeros(shape, dtype=dtype), torch.zeros(shape, dtype=dtype)) for _ in range(self.layers)]
        self.mask = torch.tril(torch.ones(positions, positions, dtype=torch.bool))
        f = 1.0 / 500000.0 ** (torch.arange(0, self.depth, 2).float() / self.depth)
        wave = 2 * math.pi / f
        smooth = (8192 / wave - 1) / 3
        theta = torch.where(wave < 2048, f, torch.where(wave > 8192, f / 32, (1 - smooth) * f / 32 + smooth * f))
        angle = torch.arange(positions).float()[:, None] * theta
        self.cosine, self.sine = angle.cos(), angle.sin()

    def reset(self):
        for k, v in self.cache:
            k.zero_()
            v.zero_()

    def turn(self, x, positions):  # [batch, positions, heads, depth]
        pairs = x.float().reshape(*x.shape[:-1], -1, 2)
        c, s = self.cosine[positions][None, :, None], self.sine[positions][None, :, None]
        a, b = pairs.unbind(-1)
        return torch.stack([a * c - b * s, b * c + a * s], -1).flatten(3).type_as(x)

    @staticmethod
    def rms(x, scale):
        wide = x.float()
        return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-5)).type_as(x) * scale

    def __call__(self, x, positions):
        batch, count, _ = x.shape
        mask = self.mask[positions][None, None]
        for w, (keys, values) in zip(self.weights, self.cache):
            h = self.rms(x, w["sa_norm.scale"])
            q = F.linear(h, w["attn.q_proj.weight"]).view(batch, count, self.heads, self.depth)
            k = F.linear(h, w["attn.k_proj.weight"]).view(batch, count, self.key_heads, self.depth)
            v = F.linear(h, w["attn.v_proj.weight"]).view(batch, count, self.key_heads, self.depth)
            q, k = self.turn(q, positions), self.turn(k, positions)
            group = self.heads // self.key_heads
            k, v = (y[:, :, :, None].expand(-1, -1, -1, group, -1).flatten(2, 3).transpose(1, 2) for y in (k, v))
            keys[:, :, positions] = k.to(keys.dtype)
            values[:, :, positions] = v.to(values.dtype)
            mixed = F.scaled_dot_product_attention(q.transpose(1, 2), keys, values, attn_mask=mask)
            x = x + F.linear(mixed.transpose(1, 2).reshape(batch, count, -1), w["attn.output_proj.weight"])
            h = self.rms(x, w["mlp_norm.scale"])
            x = x + F.linear(F.silu(F.linear(h, w["mlp.w1.weight"])) * F.linear(h, w["mlp.w3.weight"]), w["mlp.w2.weight"])
        return self.rms(x, self.norm).float()


def draw(logits, scale, generator):
    guided = logits[1:] + (logits[:1] - logits[1:]) * scale if logits.shape[0] > 1 else logits
    best = torch.topk(guided, 50)[0][..., -1, None]
    scores = torch.where(guided < best, torch.full_like(guided, -torch.inf), guided)
    chance = F.softmax(F.log_softmax(scores.float(), -1), -1)
    noise = torch.empty_like(chance).exponential_(1, generator=generator)
    return torch.argmax(chance / noise, -1).expand(logits.shape[0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--prompt", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--guidance", type=float, default=1.5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    dtype = getattr(torch, options.dtype)
    language = options.folder / "HeartMuLa-oss-3B"
    config = json.loads((language / "config.json").read_text())
    backbone_flavour, decoder_flavour = FLAVOURS[config["backbone_flavor"]], FLAVOURS[config["decoder_flavor"]]
    ids = config["audio_vocab_size"]
    tensors = read_tensors(language, dtype)
    batch = 2 if options.guidance > 1 else 1
    backbone = Transformer(tensors, "backbone", backbone_flavour, batch, backbone_flavour[5], dtype)
    decoder = Transformer(tensors, "decoder", decoder_flavour, batch, 8, dtype)
    audio, text = tensors["audio_embeddings.weight"], tensors["text_embeddings.weight"]
    generator = torch.Generator().manual_seed(1)

    def frame(x, positions):
        last = backbone(x, positions)[:, -1].to(dtype)
        code = draw(F.linear(last, tensors["codebook0_head.weight"]), options.guidance, generator)
        codes = [code]
        decoder.reset()
        x = torch.stack([last, audio[code]], 1)
        at = torch.arange(2)
        for i in range(1, CODEBOOKS):
            hidden = decoder(F.linear(x, tensors["projection.weight"]), at)[:, -1].to(dtype)
            code = draw(hidden @ tensors["audio_head"][i - 1], options.guidance, generator)
            codes.append(code)
            x, at = audio[code + i * ids][:, None], torch.tensor([i + 1])
        return torch.stack(codes, 1)

    prompt = torch.randint(0, min(128000, config["text_vocab_size"]), (options.prompt,), generator=generator)
    x = text[prompt][None].repeat(batch, 1, 1)
    if batch == 2:
        x[1] = tensors["unconditional_text_embedding.weight"]
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=options.dtype == "bfloat16"):
        begin = time.perf_counter()
        codes = frame(x, torch.arange(options.prompt))
        prompted = time.perf_counter()
        offsets = torch.arange(CODEBOOKS) * ids
        for i in range(options.frames - 1):
            codes = frame(audio[codes + offsets].sum(1, keepdim=True).to(dtype), torch.tensor([options.prompt + i]))
        ended = time.perf_counter()
    print(json.dumps({"torch": torch.__version__, "dtype": options.dtype, "prompt_seconds": prompted - begin, "frames": options.frames - 1,
                      "seconds": ended - prompted, "frames_per_second": (options.frames - 1) / (ended - prompted)}))  # fmt: skip


if __name__ == "__main__":
    main()
