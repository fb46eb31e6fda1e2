# SPDX-License-Identifier: MIT
"""What a Whisper checkpoint folder holds beside its weights (the layout of Hugging Face), and a writer for safetensors files."""
import json
import re
from pathlib import Path

LANGUAGES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml cy sk te "
    "fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am yi lo uz fo ht ps "
    "tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue").split()

# encoder layers, decoder layers, width, heads, hidden, mel bands, vocabulary
GEOMETRIES = {
    "tiny": (4, 4, 384, 6, 1536, 80, 51865),
    "base": (6, 6, 512, 8, 2048, 80, 51865),
    "small": (12, 12, 768, 12, 3072, 80, 51865),
    "medium": (24, 24, 1024, 16, 4096, 80, 51865),
    "large-v2": (32, 32, 1280, 20, 5120, 80, 51865),
    "large-v3": (32, 32, 1280, 20, 5120, 128, 51866),
    "turbo": (32, 4, 1280, 20, 5120, 128, 51866),
}


def special_tokens(ranks, vocabulary):
    """Names and ids in order, from end-of-text to <|notimestamps|>, then 1501 timestamps."""
    languages = LANGUAGES[:100 if vocabulary == 51866 else 99]
    names = ["<|endoftext|>", "<|startoftranscript|>"] + [f"<|{one}|>" for one in languages]
    names += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    times = [f"<|{0.02 * i:.2f}|>" for i in range(1501)]
    first = ranks
    return [(first + i, name, True) for i, name in enumerate(names)] + [
        (first + len(names) + i, name, False) for i, name in enumerate(times)]


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_configs(folder, geometry, ranks, suppress, begin_suppress, heads, dtype):
    encoder, decoder, width, n_heads, hidden, mels, vocabulary = geometry
    specials = {name: at for at, name, _ in special_tokens(ranks, vocabulary)}
    multilingual = vocabulary != 51864
    shared = {
        "begin_suppress_tokens": begin_suppress,
        "bos_token_id": specials["<|endoftext|>"],
        "decoder_start_token_id": specials["<|startoftranscript|>"],
        "eos_token_id": specials["<|endoftext|>"],
        "pad_token_id": specials["<|endoftext|>"],
        "suppress_tokens": suppress,
    }
    write_json(folder / "config.json", {
        **shared, "activation_function": "gelu", "architectures": ["WhisperForConditionalGeneration"], "d_model": width,
        "decoder_attention_heads": n_heads, "decoder_ffn_dim": hidden, "decoder_layers": decoder,
        "encoder_attention_heads": n_heads, "encoder_ffn_dim": hidden, "encoder_layers": encoder,
        "is_encoder_decoder": True, "max_source_positions": 1500, "max_target_positions": 448, "median_filter_width": 7,
        "model_type": "whisper", "num_mel_bins": mels, "scale_embedding": False, "torch_dtype": dtype,
        "vocab_size": vocabulary,
    })
    generation = {
        **shared, "is_multilingual": multilingual, "max_initial_timestamp_index": 50, "max_length": 448,
        "no_timestamps_token_id": specials["<|notimestamps|>"], "prev_sot_token_id": specials["<|startofprev|>"],
        "return_timestamps": False, "transformers_version": "4.57.0",
    }
    if multilingual:
        generation["lang_to_id"] = {f"<|{one}|>": specials[f"<|{one}|>"] for one in LANGUAGES
                                    if f"<|{one}|>" in specials}
        generation["task_to_id"] = {task: specials[f"<|{task}|>"] for task in ("transcribe", "translate")}
    if heads:
        generation["alignment_heads"] = [list(one) for one in heads]
    write_json(folder / "generation_config.json", generation)
    write_json(folder / "preprocessor_config.json", {
        "chunk_length": 30, "feature_extractor_type": "WhisperFeatureExtractor", "feature_size": mels, "hop_length": 160,
        "n_fft": 400, "n_samples": 480000, "nb_max_frames": 3000, "padding_side": "right", "padding_value": 0.0,
        "return_attention_mask": False, "sampling_rate": 16000,
    })


def write_tokenizer(folder, vocabulary_map, merges, ranks, vocabulary):
    added = [{"id": at, "content": name, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": special} for at, name, special in special_tokens(ranks, vocabulary)]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    write_json(folder / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": level, "post_processor": None, "decoder": level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "vocab": vocabulary_map,
                  "merges": merges},
    })
    write_json(folder / "tokenizer_config.json", {
        "add_prefix_space": False, "clean_up_tokenization_spaces": True, "errors": "replace",
        "tokenizer_class": "WhisperTokenizer", "added_tokens_decoder": {str(one["id"]): {
            key: one[key] for key in ("content", "lstrip", "normalized", "rstrip", "single_word", "special")}
            for one in added}})


def byte_letters():
    """The printable letter that GPT-2's byte-level vocabularies write for each byte."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    letters = {b: chr(b) for b in plain}
    for b in range(256):
        if b not in letters:
            letters[b] = chr(256 + len(letters) - len(plain))
    return letters


class SafetensorsWriter:
    """Tensors go out one after another, so that no more than one of them is in memory."""

    def __init__(self, path, shapes, dtype):
        self.path = Path(path)
        size = {"F32": 4, "F16": 2, "BF16": 2}[dtype]
        header, at = {"__metadata__": {"format": "pt"}}, 0
        for name, shape in shapes.items():
            count = size
            for n in shape:
                count *= n
            header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + count]}
            at += count
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        self.names, self.shapes, self.dtype = list(shapes), shapes, dtype
        self.file = open(self.path.with_name(self.path.name + ".unfinished"), "wb")
        self.file.write(len(text).to_bytes(8, "little") + text)

    def write(self, name, values):
        """values: a float32 array of numpy, in the order in which the shapes were given."""
        import numpy
        if self.names.pop(0) != name or tuple(values.shape) != tuple(self.shapes[name]):
            raise ValueError(f"{name} {values.shape} is not what comes next")
        if self.dtype == "F32":
            raw = values.astype("<f4")
        elif self.dtype == "F16":
            raw = values.astype("<f2")
        else:  # BF16, rounded to nearest even
            bits = values.astype("<f4").view("<u4")
            raw = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")
        self.file.write(numpy.ascontiguousarray(raw).tobytes())

    def close(self):
        if self.names:
            raise ValueError("missing: " + ", ".join(self.names))
        self.file.close()
        Path(self.file.name).replace(self.path)


def tensor_shapes(geometry):
    """Hugging Face's names, in an order that a loader reads from front to back."""
    encoder, decoder, width, _, hidden, mels, vocabulary = geometry
    shapes = {"model.encoder.conv1.weight": (width, mels, 3), "model.encoder.conv1.bias": (width,),
              "model.encoder.conv2.weight": (width, width, 3), "model.encoder.conv2.bias": (width,),
              "model.encoder.embed_positions.weight": (1500, width)}

    def norm(name):
        shapes[name + ".weight"] = (width,)
        shapes[name + ".bias"] = (width,)

    def attention(prefix):
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes[f"{prefix}.{part}.weight"] = (width, width)
            if part != "k_proj":
                shapes[f"{prefix}.{part}.bias"] = (width,)
        norm(prefix + "_layer_norm")

    def layer(prefix, crosses):
        attention(prefix + ".self_attn")
        if crosses:
            attention(prefix + ".encoder_attn")
        for name, shape in (("fc1", (hidden, width)), ("fc2", (width, hidden))):
            shapes[f"{prefix}.{name}.weight"] = shape
            shapes[f"{prefix}.{name}.bias"] = (shape[0],)
        norm(prefix + ".final_layer_norm")

    for i in range(encoder):
        layer(f"model.encoder.layers.{i}", False)
    norm("model.encoder.layer_norm")
    shapes["model.decoder.embed_tokens.weight"] = (vocabulary, width)
    shapes["model.decoder.embed_positions.weight"] = (448, width)
    for i in range(decoder):
        layer(f"model.decoder.layers.{i}", True)
    norm("model.decoder.layer_norm")
    return shapes


def from_openai_name(name):
    """openai/whisper's name of a tensor as Hugging Face has it."""
    name = re.sub(r"^(encoder|decoder)\.blocks\.(\d+)\.", r"model.\1.layers.\2.", name)
    name = re.sub(r"^(encoder|decoder)\.", r"model.\1.", name)
    for old, new in ((".cross_attn_ln.", ".encoder_attn_layer_norm."), (".attn_ln.", ".self_attn_layer_norm."),
                     (".mlp_ln.", ".final_layer_norm."), (".cross_attn.", ".encoder_attn."), (".attn.", ".self_attn."),
                     (".query.", ".q_proj."), (".key.", ".k_proj."), (".value.", ".v_proj."), (".out.", ".out_proj."),
                     (".mlp.0.", ".fc1."), (".mlp.2.", ".fc2."), (".ln_post.", ".layer_norm."),
                     ("decoder.ln.", "decoder.layer_norm."), ("token_embedding.", "embed_tokens.")):
        name = name.replace(old, new)
    return re.sub(r"positional_embedding$", "embed_positions.weight", name)
