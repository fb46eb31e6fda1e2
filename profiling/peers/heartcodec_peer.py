#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""HeartCodec's decode of one window in eager PyTorch, after its specification: what profiling/compare_codec sets ours beside.

A transcription as one would write it: torch's own convolutions, products and scaled_dot_product_attention, FP32, the two rows of
guidance as one batch, the decoder over the whole window at once, weight norm folded before. Loading is not in the timing."""

import argparse
import json
import math
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import safe_open


class Codec:
    def __init__(self, folder):
        folder = Path(folder)
        self.config = json.loads((folder / "config.json").read_text())
        index = folder / "model.safetensors.index.json"
        files = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else ["model.safetensors"]
        self.w = {}
        for name in files:
            with safe_open(folder / name, "pt") as file:
                for key in file.keys():
                    if "encoder." not in key:
                        self.w[key] = file.get_tensor(key).float()
        for key in [k for k in self.w if k.endswith("parametrizations.weight.original1")]:
            v, g = self.w.pop(key), self.w.pop(key[:-1] + "0")
            norm = v.flatten(1).norm(dim=1).reshape(-1, 1, 1)
            self.w[key.replace("parametrizations.weight.original1", "weight")] = v * (g / norm)

    def linear(self, x, name):
        return F.linear(x, self.w[name + ".weight"], self.w.get(name + ".bias"))

    def project(self, x, name):
        x = F.conv1d(x.transpose(1, 2), self.w[name + ".ffn_1.weight"], self.w[name + ".ffn_1.bias"], padding=1).transpose(1, 2)
        return self.linear(x * 3**-0.5, name + ".ffn_2")

    def time(self, t, name):
        f = torch.exp(-math.log(10000.0) * torch.arange(256, dtype=torch.float32) / 256)
        angle = t[:, None] * f[None, :] * 1000.0
        e = torch.cat([torch.cos(angle), torch.sin(angle)], dim=-1)
        at = name + ".emb.timestep_embedder.linear_"
        e = self.linear(F.silu(self.linear(e, at + "1")), at + "2")
        return self.linear(F.silu(e), name + ".linear"), e

    @staticmethod
    def rotate(x, cos, sin):
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1).flatten(-2)

    def block(self, x, name, modulation, cos, sin):
        batch, length, width = x.shape
        heads = self.config["num_attention_heads"]
        table = self.w[name + ".scale_shift_table"][None] + modulation.reshape(batch, 6, width)
        shift1, scale1, gate1, shift2, scale2, gate2 = table.chunk(6, dim=1)

        def norm(y, weight):
            return y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + 1e-6) * weight

        h = norm(x, self.w[name + ".attn_norm.weight"]) * (1 + scale1) + shift1
        q, k, v = (self.linear(h, f"{name}.attn.{p}_proj").view(batch, length, heads, -1).transpose(1, 2) for p in "qkv")
        mixed = F.scaled_dot_product_attention(self.rotate(q, cos, sin), self.rotate(k, cos, sin), v)
        x = x + gate1 * self.linear(mixed.transpose(1, 2).reshape(batch, length, width), name + ".attn.o_proj")
        h = norm(x, self.w[name + ".mlp_norm.weight"]) * (1 + scale2) + shift2
        h = F.silu(self.linear(h, name + ".mlp.gate")) * self.linear(h, name + ".mlp.up")
        return x + gate2 * self.linear(h, name + ".mlp.down")

    def estimator(self, x, t):
        base = "flow_matching.estimator."
        inputs = x
        modulation, embedding = self.time(t, base + "adaln_single")
        wide_modulation, wide_embedding = self.time(t, base + "adaln_single_2")

        def turns(head):
            f = 1.0 / (10000.0 ** (torch.arange(0, head, 2).float() / head))
            angle = torch.outer(torch.arange(x.shape[1]).float(), f)
            return torch.cos(angle), torch.sin(angle)

        def final(y, table, e):
            shift, scale = (self.w[base + table][None] + e[:, None]).chunk(2, dim=1)
            return F.layer_norm(y, y.shape[-1:], eps=1e-6) * (1 + scale) + shift

        head = self.config["attention_head_dim"]
        cos, sin = turns(head)
        s = self.project(x, base + "proj_in")
        for i in range(self.config["num_layers"]):
            s = self.block(s, f"{base}transformer_blocks.{i}", modulation, cos, sin)
        s = final(s, "scale_shift_table", embedding)
        s = self.project(torch.cat([inputs, s], dim=-1), base + "connection_proj")
        cos, sin = turns(2 * head)
        for i in range(self.config["num_layers_2"]):
            s = self.block(s, f"{base}transformer_blocks_2.{i}", wide_modulation, cos, sin)
        return self.project(final(s, "scale_shift_table_2", wide_embedding), base + "proj_out")

    def solve(self, mu, noise, steps, guidance):
        x, known = noise, torch.zeros_like(noise)
        grid = torch.linspace(0, 1, steps + 1)
        t, dt = grid[0], grid[1] - grid[0]
        for k in range(1, steps + 1):
            if guidance > 1:
                both = torch.cat([torch.cat([x, known, torch.zeros_like(mu)], -1), torch.cat([x, known, mu], -1)])
                without, with_it = self.estimator(both, t.repeat(2)).chunk(2)
                velocity = without + guidance * (with_it - without)
            else:
                velocity = self.estimator(torch.cat([x, known, mu], -1), t.repeat(1))
            x = x + dt * velocity
            t = t + dt
            if k < steps:
                dt = grid[k + 1] - t
        return x

    def decode(self, latents):
        base = "scalar_model.decoder."
        x = torch.cat(latents.transpose(1, 2).chunk(2, dim=1))
        x = torch.round(9 * x) / 9
        x = F.conv1d(x, self.w[base + "0.weight"], self.w[base + "0.bias"], padding=2)
        for stage, factor in enumerate(self.config["upsample_factors"], 1):
            up = f"{base}{stage}.up_conv.layer"
            x = F.conv_transpose1d(x, self.w[up + ".weight"], self.w[up + ".bias"], stride=factor)[..., :-factor]
            for unit in range(5):
                at, dilation = f"{base}{stage}.convs.{unit}.", 2 * unit + 1
                h = F.conv1d(F.pad(x, (6 * dilation, 0)), self.w[at + "conv1.weight"], self.w[at + "conv1.bias"], dilation=dilation)
                h = F.conv1d(F.prelu(h, self.w[at + "activation1.weight"]), self.w[at + "conv2.weight"], self.w[at + "conv2.bias"])
                x = x + F.prelu(h, self.w[at + "activation2.weight"])
        x = x.repeat_interleave(self.config["num_samples"], dim=-1)
        x = F.conv1d(F.pad(x, (6, 0)), self.w[base + "6.conv.weight"], self.w[base + "6.conv.bias"])
        x = F.prelu(x, self.w[base + "6.activation.weight"])
        return F.conv1d(F.pad(x, (6, 0)), self.w[base + "7.weight"], self.w[base + "7.bias"]).squeeze(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a HeartCodec folder")
    parser.add_argument("--latents", type=int, default=744)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--guidance", type=float, default=1.25)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-decode", action="store_true")
    parser.add_argument("--check", help="parity/heartcodec: the difference from its solver and sq cases")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with torch.inference_mode():
        codec = Codec(options.model)
        if options.check:
            with safe_open(options.check + "/cases.safetensors", "pt") as file:
                x, want = file.get_tensor("small_estimator_T24/in/x"), file.get_tensor("small_estimator_T24/out/t1")
                got = codec.estimator(x, torch.full((2,), 0.3))
                latents, wave = file.get_tensor("small_sq/in/latents"), file.get_tensor("small_sq/out/stage7")[:, 0]
                sound = codec.decode(latents)
            json.dump({"estimator": float((got - want).abs().max() / want.abs().max()),
                       "decoder": float((sound - wave).abs().max() / wave.abs().max())}, sys.stdout)  # fmt: skip
            return
        torch.manual_seed(1)
        mu, noise = torch.randn(1, options.latents, codec.config["dim"]), torch.randn(1, options.latents, 256)
        codec.estimator(torch.randn(1, 8, codec.config["in_channels"]), torch.zeros(1))  # warm: every weight is touched once
        begin, cpu_begin = time.perf_counter(), time.process_time()
        latents = codec.solve(mu, noise, options.steps, options.guidance)
        solved, cpu_solved = time.perf_counter(), time.process_time()
        sound = None if options.no_decode else codec.decode(latents)
        end, cpu_end = time.perf_counter(), time.process_time()
    json.dump({"version": f"torch {torch.__version__}", "latents": options.latents, "steps": options.steps, "solve_seconds": solved - begin,
               "decode_seconds": end - solved, "solve_cpu_seconds": cpu_solved - cpu_begin, "decode_cpu_seconds": cpu_end - cpu_solved,
               "samples": 0 if sound is None else sound.shape[-1],
               "cpu": torch.backends.cpu.get_cpu_capability()}, sys.stdout)  # fmt: skip


if __name__ == "__main__":
    main()
