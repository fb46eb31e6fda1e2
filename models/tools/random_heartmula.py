#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes a folder for music generation with random weights, so that speed and memory can be measured without a download.

    python3 models/tools/random_heartmula.py out/mula-300m --backbone llama-300M
    python3 models/tools/random_heartmula.py out/mula-3b --backbone llama-3B --codec full
    python3 models/tools/random_heartmula.py out/mula-tiny --backbone tiny --codec tiny

The language model (HeartMuLa-oss-3B), a tokenizer of the Llama-3 kind with bytes only, gen_config.json and, where asked for, a
codec (HeartCodec-oss). Weights are scaled so that activations stay near one from the first layer to the last. What such a model
generates is noise. Needs numpy."""
import argparse
import json
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from whisper_layout import SafetensorsWriter, byte_letters  # noqa: E402

import numpy  # noqa: E402

CODEBOOKS = 8
# layers, heads, key heads, width, hidden, positions
FLAVOURS = {
    "llama-3B": (28, 24, 8, 3072, 8192, 8192),
    "llama-7B": (32, 32, 8, 4096, 14336, 8192),
    "llama-300M": (3, 8, 4, 3072, 8192, 2048),
    "llama-400M": (4, 8, 4, 3072, 8192, 2048),
    "tiny": (2, 6, 2, 96, 160, 2048),
    "tiny-local": (2, 4, 2, 64, 96, 32),
}
LLAMA_PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
                 r"\s+(?!\S)|\s+")
# codebook size, its width, condition, heads, their width, blocks, wide blocks, first channels, upsampling, sample rate
CODECS = {
    "full": (8192, 32, 512, 24, 64, 24, 6, 64, (5, 4, 4, 4, 3), 48000),
    "tiny": (64, 8, 32, 2, 8, 2, 1, 2, (2, 2, 2, 2, 2), 1600),
}


def write_json(path, data):
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def transformer(prefix, flavour):
    layers, heads, key_heads, width, hidden, _ = FLAVOURS[flavour]
    keys = key_heads * (width // heads)
    shapes = {}
    for i in range(layers):
        at = f"{prefix}.layers.{i}."
        shapes |= {at + "sa_norm.scale": (width,), at + "attn.q_proj.weight": (width, width),
                   at + "attn.k_proj.weight": (keys, width), at + "attn.v_proj.weight": (keys, width),
                   at + "attn.output_proj.weight": (width, width), at + "mlp_norm.scale": (width,),
                   at + "mlp.w1.weight": (hidden, width), at + "mlp.w3.weight": (hidden, width),
                   at + "mlp.w2.weight": (width, hidden)}
    return shapes | {prefix + ".norm.scale": (width,)}


def language_shapes(backbone, decoder, text, audio):
    wide, narrow = FLAVOURS[backbone][3], FLAVOURS[decoder][3]
    return transformer("backbone", backbone) | transformer("decoder", decoder) | {
        "text_embeddings.weight": (text, wide), "audio_embeddings.weight": (audio * CODEBOOKS, wide),
        "unconditional_text_embedding.weight": (1, wide), "projection.weight": (narrow, wide),
        "codebook0_head.weight": (audio, wide), "audio_head": (CODEBOOKS - 1, narrow, audio),
        "muq_linear.weight": (wide, 512), "muq_linear.bias": (wide,)}


def project(at, inputs, outputs):
    return {at + ".ffn_1.weight": (outputs, inputs, 3), at + ".ffn_1.bias": (outputs,),
            at + ".ffn_2.weight": (outputs, outputs), at + ".ffn_2.bias": (outputs,)}


def blocks(at, count, width):
    hidden = (8 * width // 3 + 255) // 256 * 256
    shapes = {}
    for i in range(count):
        one = f"{at}.{i}."
        shapes |= {one + f"attn.{x}_proj.weight": (width, width) for x in "qkvo"}
        shapes |= {one + "attn_norm.weight": (width,), one + "mlp_norm.weight": (width,),
                   one + "mlp.gate.weight": (hidden, width), one + "mlp.up.weight": (hidden, width),
                   one + "mlp.down.weight": (width, hidden), one + "scale_shift_table": (6, width)}
    return shapes


def normed(at, shape):
    return {at + ".parametrizations.weight.original0": (shape[0], 1, 1), at + ".parametrizations.weight.original1": shape}


def codec_shapes(codec):
    size, narrow, condition, heads, head, count, wide_count, first, up, _ = CODECS[codec]
    width, latents = heads * head, 256
    flow = "flow_matching."
    shapes = {f"{flow}vq_embed.layers.{q}._codebook.embed": (1, size, narrow) for q in range(CODEBOOKS)}
    shapes |= {flow + "vq_embed.project_out.weight": (condition, narrow), flow + "vq_embed.project_out.bias": (condition,),
               flow + "cond_feature_emb.weight": (condition, condition), flow + "cond_feature_emb.bias": (condition,),
               flow + "zero_cond_embedding1": (condition,)}
    estimator = flow + "estimator."
    inputs = 2 * latents + condition
    shapes |= project(estimator + "proj_in", inputs, width)
    shapes |= project(estimator + "connection_proj", inputs + width, 2 * width)
    shapes |= project(estimator + "proj_out", 2 * width, latents)
    shapes |= blocks(estimator + "transformer_blocks", count, width)
    shapes |= blocks(estimator + "transformer_blocks_2", wide_count, 2 * width)
    for suffix, w in (("", width), ("_2", 2 * width)):
        at = f"{estimator}adaln_single{suffix}."
        shapes |= {estimator + "scale_shift_table" + suffix: (2, w),
                   at + "emb.timestep_embedder.linear_1.weight": (w, 512), at + "emb.timestep_embedder.linear_1.bias": (w,),
                   at + "emb.timestep_embedder.linear_2.weight": (w, w), at + "emb.timestep_embedder.linear_2.bias": (w,),
                   at + "linear.weight": (6 * w, w), at + "linear.bias": (6 * w,)}
    decoder = "scalar_model.decoder."
    channels = first << len(up)
    shapes |= normed(decoder + "0", (channels, 128, 5)) | {decoder + "0.bias": (channels,)}
    for stage, factor in enumerate(up, 1):
        half, at = channels // 2, f"{decoder}{stage}."
        shapes |= normed(at + "up_conv.layer", (channels, half, 2 * factor)) | {at + "up_conv.layer.bias": (half,)}
        for unit in range(5):
            one = f"{at}convs.{unit}."
            shapes |= normed(one + "conv1", (half, half, 7)) | {one + "conv1.bias": (half,)}
            shapes |= normed(one + "conv2", (half, half, 1)) | {one + "conv2.bias": (half,)}
            shapes |= {one + "activation1.weight": (1,), one + "activation2.weight": (1,)}
        channels = half
    return shapes | {decoder + "6.conv.weight": (channels, channels, 7), decoder + "6.conv.bias": (channels,),
                     decoder + "6.activation.weight": (1,)} | normed(decoder + "7", (1, channels, 7)) | {decoder + "7.bias": (1,)}


def values(name, shape, seed, layers):
    # Every tensor has a stream of numbers of its own: the same bits whatever else is made.
    random = numpy.random.Generator(numpy.random.PCG64([seed, zlib.crc32(name.encode())]))
    noise = random.standard_normal(shape, dtype="f4")
    last = name.rsplit(".", 2)
    if name.endswith((".scale", "norm.weight")):
        return 1.0 + 0.05 * noise
    if name.endswith(".bias") or "scale_shift_table" in name or name.endswith("zero_cond_embedding1"):
        return 0.02 * noise
    if "activation" in name:
        return numpy.full(shape, 0.25, dtype="f4")
    if name.endswith("original0"):
        # Conv: the norm is that of one output's weights; transposed convolutions: of one input's.
        return numpy.full(shape, 0.7 if "convs" in name else 1.0, dtype="f4") * (1.0 + 0.05 * noise)
    if "embeddings" in name or "embedding.weight" in name or name.endswith("embed"):
        return 0.35 * noise
    if name == "audio_head" or "head.weight" in name:  # scores that a temperature of 1 tells apart
        return noise * numpy.float32(2.0 / numpy.sqrt(shape[-2] if name == "audio_head" else shape[-1]))
    gain = 1.0 / numpy.sqrt(2.0 * layers) if any(x in last for x in ("output_proj", "o_proj", "w2", "down")) else 1.0
    return noise * numpy.float32(gain / numpy.sqrt(numpy.prod(shape[1:])))


def write_model(folder, shapes, dtype, shards, seed, layers):
    """Shards of about one size with an index, or one file."""
    folder.mkdir(parents=True, exist_ok=True)
    size = {"f32": 4, "bf16": 2, "f16": 2}[dtype]
    total = sum(int(numpy.prod(s)) * size for s in shapes.values())
    parts, weight = [{}], 0
    for name, shape in shapes.items():
        if weight >= total * len(parts) / shards:
            parts.append({})
        parts[-1][name] = shape
        weight += int(numpy.prod(shape)) * size
    placed = {}
    for i, part in enumerate(parts, 1):
        name = "model.safetensors" if len(parts) == 1 else f"model-{i:05}-of-{len(parts):05}.safetensors"
        writer = SafetensorsWriter(folder / name, part, dtype.upper())
        for tensor, shape in part.items():
            writer.write(tensor, values(tensor, shape, seed, layers))
            placed[tensor] = name
        writer.close()
    if len(parts) > 1:
        write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": placed})
    return total


def write_tokenizer(folder, bos, eos):
    letters = byte_letters()
    added = [{"id": at, "content": name, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for at, name in ((bos, "<|begin_of_text|>"), (eos, "<|end_of_text|>"))]
    begin = {"SpecialToken": {"id": "<|begin_of_text|>", "type_id": 0}}
    write_json(folder / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": LLAMA_PATTERN}, "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]},
        "post_processor": {"type": "TemplateProcessing", "single": [begin, {"Sequence": {"id": "A", "type_id": 0}}],
                           "pair": [], "special_tokens": {}},
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "byte_fallback": False, "ignore_merges": True,
                  "vocab": {letters[b]: b for b in range(256)}, "merges": []}})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--backbone", choices=[f for f in FLAVOURS if f != "tiny-local"], default="llama-300M")
    parser.add_argument("--decoder", choices=list(FLAVOURS), help="default: llama-300M, tiny-local for tiny")
    parser.add_argument("--codec", choices=["none", *CODECS], default="none")
    parser.add_argument("--dtype", choices=["f32", "f16", "bf16"], default="bf16", help="of the language model")
    parser.add_argument("--codec-dtype", choices=["f32", "f16", "bf16"], default="f32")
    parser.add_argument("--text-vocabulary", type=int, help="default: 128256, 512 for tiny")
    parser.add_argument("--audio-entries", type=int, help="of a codebook; default: 8192, 64 for tiny")
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    tiny = a.backbone == "tiny"
    decoder = a.decoder or ("tiny-local" if tiny else "llama-300M")
    text = a.text_vocabulary or (512 if tiny else 128256)
    audio = (a.audio_entries or (64 if tiny else 8192)) + 5
    bos, eos = (128000, 128001) if text >= 128256 else (text - 2, text - 1)
    if text < 258:
        parser.error("--text-vocabulary below 258 has no room for the bytes and two marks")
    a.folder.mkdir(parents=True, exist_ok=True)
    config = {"architectures": ["HeartMuLa"], "model_type": "heartmula", "backbone_flavor": a.backbone, "decoder_flavor": decoder,
              "text_vocab_size": text, "audio_vocab_size": audio, "audio_num_codebooks": CODEBOOKS, "muq_dim": 512}
    own = {name: dict(zip(("num_layers", "num_heads", "num_kv_heads", "embed_dim", "intermediate_dim", "max_seq_len"),
                          FLAVOURS[name])) for name in (a.backbone, decoder) if not name.startswith("llama")}
    if own:
        config["flavor_dims"] = own
    shapes = language_shapes(a.backbone, decoder, text, audio)
    language = a.folder / "HeartMuLa-oss-3B"
    total = write_model(language, shapes, a.dtype, a.shards, a.seed, FLAVOURS[a.backbone][0])
    write_json(language / "config.json", config)
    write_json(a.folder / "gen_config.json", {"text_bos_id": bos, "text_eos_id": eos, "audio_eos_id": audio - 4, "empty_id": 0})
    write_tokenizer(a.folder, bos, eos)
    told = f"{a.folder}: {len(shapes)} tensors, {total / 1e9:.3f} GB of language model"
    if a.codec != "none":
        size, narrow, condition, heads, head, count, wide_count, first, up, rate = CODECS[a.codec]
        codec = a.folder / "HeartCodec-oss"
        codec_total = write_model(codec, codec_shapes(a.codec), a.codec_dtype, a.shards, a.seed, count)
        write_json(codec / "config.json", {
            "architectures": ["HeartCodec"], "model_type": "heartcodec", "dim": condition, "codebook_size": size,
            "codebook_dim": narrow, "num_quantizers": CODEBOOKS, "use_cosine_sim": False, "attention_head_dim": head,
            "num_attention_heads": heads, "num_layers": count, "num_layers_2": wide_count, "in_channels": 512 + condition,
            "out_channels": 256, "norm_type": "ada_norm_single", "sample_rate": rate, "num_bands": 1, "num_samples": 2,
            "causal": True, "upsample_factors": list(up), "upsample_kernel_sizes": [2 * f for f in up],
            "downsample_factors": list(reversed(up)), "downsample_kernel_sizes": [2 * f for f in reversed(up)],
            "latent_hidden_dim": 128, "default_kernel_size": 7, "delay_kernel_size": 5, "init_channel": first,
            "res_kernel_size": 7})
        told += f", {codec_total / 1e9:.3f} GB of codec"
    print(f"{told}, seed {a.seed}")


if __name__ == "__main__":
    main()
