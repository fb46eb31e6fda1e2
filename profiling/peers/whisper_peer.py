# SPDX-License-Identifier: MIT
"""One timed run of another program's Whisper, in the private environment that profiling/compare_models makes.

Adjacent 30 s windows, greedy, no timestamps, exactly --tokens tokens a window (the end token is suppressed), sound to ids, the
mel spectrogram included, loading excluded. Prints one JSON object."""

import argparse
import json
import os
import sys
import time


def signal(samples):
    """As `tutti bench` makes it: a gliding tone with harmonics and noise. Values do not matter here, only that they are not silent."""
    import numpy as np

    second = np.arange(samples) / 16000.0
    phase = np.cumsum((150 + 100 * np.sin(0.7 * second)) / 16000.0) % 1.0
    noise = np.random.default_rng(1).uniform(-0.02, 0.02, samples)
    tone = sum(0.2 / h * np.sin(2 * np.pi * h * phase) for h in range(1, 6))
    return ((tone + noise) * (0.6 + 0.4 * np.sin(3.0 * second))).astype(np.float32)


def faster_whisper(options, audio):
    import ctranslate2
    import numpy as np
    from faster_whisper.feature_extractor import FeatureExtractor

    folder = options.model.rstrip("/") + ".ct2-" + options.dtype
    if not os.path.exists(folder + "/model.bin"):
        ctranslate2.converters.TransformersConverter(options.model, copy_files=["tokenizer.json"]).convert(
            folder, quantization=options.dtype, force=True)  # fmt: skip
    compute = {"float32": "float32", "int8": "int8", "bfloat16": "bfloat16"}[options.dtype]
    model = ctranslate2.models.Whisper(folder, device="cpu", compute_type=compute, intra_threads=options.threads, inter_threads=1)
    config = json.load(open(options.model + "/generation_config.json"))
    extract = FeatureExtractor(feature_size=model.n_mels)
    start, eos, none = config["decoder_start_token_id"], config["eos_token_id"], config["no_timestamps_token_id"]
    prompt = [start, none]

    def run(pieces):
        ids = []
        for first in range(0, len(pieces), options.batch):
            some = pieces[first : first + options.batch]
            features = np.ascontiguousarray(np.stack([extract(piece, padding=0)[..., :3000] for piece in some]))
            # CTranslate2 gives out half of max_length, or what the prompt leaves of it.
            encoded = model.encode(ctranslate2.StorageView.from_array(features.astype(np.float32)))
            found = model.generate(encoded, [prompt] * len(some), beam_size=1, suppress_tokens=[eos], suppress_blank=False,
                                   max_length=max(2 * options.tokens, options.tokens + len(prompt)), sampling_temperature=0)  # fmt: skip
            ids += [one.sequences_ids[0][-options.tokens :] for one in found]
        return ids

    return run, f"faster-whisper {__import__('faster_whisper').__version__}, ctranslate2 {ctranslate2.__version__}"


def transformers(options, audio):
    import torch
    import transformers as library

    torch.set_num_threads(options.threads)
    kind = {"float32": torch.float32, "bfloat16": torch.bfloat16}[options.dtype]
    model = library.WhisperForConditionalGeneration.from_pretrained(options.model, dtype=kind, attn_implementation="sdpa").eval()
    extract = library.WhisperFeatureExtractor(feature_size=model.config.num_mel_bins)

    def run(pieces):
        ids = []
        with torch.inference_mode():
            for first in range(0, len(pieces), options.batch):
                some = pieces[first : first + options.batch]
                features = extract(some, sampling_rate=16000, return_tensors="pt").input_features.to(kind)
                out = model.generate(features, do_sample=False, num_beams=1, return_timestamps=False,
                                     min_new_tokens=options.tokens, max_new_tokens=options.tokens)  # fmt: skip
                ids += [row[-options.tokens :].tolist() for row in out]
        return ids

    return run, f"transformers {library.__version__}, torch {torch.__version__}"


def openai_whisper(options, audio):
    import torch
    import whisper
    from safetensors.torch import load_file

    torch.set_num_threads(options.threads)
    config = json.load(open(options.model + "/config.json"))
    dims = whisper.model.ModelDimensions(
        config["num_mel_bins"], 1500, config["d_model"], config["encoder_attention_heads"], config["encoder_layers"],
        config["vocab_size"], 448, config["d_model"], config["decoder_attention_heads"], config["decoder_layers"])  # fmt: skip
    model = whisper.model.Whisper(dims)
    names = [("model.", ""), ("layers", "blocks"), ("fc1", "mlp.0"), ("fc2", "mlp.2"), ("final_layer_norm", "mlp_ln"),
             ("self_attn_layer_norm", "attn_ln"), ("encoder_attn_layer_norm", "cross_attn_ln"), ("encoder_attn.", "cross_attn."),
             ("self_attn.", "attn."), ("q_proj", "query"), ("k_proj", "key"), ("v_proj", "value"), ("out_proj", "out"),
             ("decoder.embed_tokens", "decoder.token_embedding"), ("encoder.layer_norm", "encoder.ln_post"),
             ("decoder.layer_norm", "decoder.ln"), ("encoder.embed_positions.weight", "encoder.positional_embedding"),
             ("decoder.embed_positions.weight", "decoder.positional_embedding")]  # fmt: skip
    weights = {}
    for name, value in load_file(options.model + "/model.safetensors").items():
        for old, new in names:
            name = name.replace(old, new)
        weights[name] = value
    model.load_state_dict(weights, strict=False)
    eot = json.load(open(options.model + "/generation_config.json"))["eos_token_id"]
    decoding = whisper.DecodingOptions(language="en", without_timestamps=True, sample_len=options.tokens, fp16=False,
                                       suppress_tokens=[eot], suppress_blank=False)  # fmt: skip

    def run(pieces):
        ids = []
        for first in range(0, len(pieces), options.batch):
            some = pieces[first : first + options.batch]
            mel = torch.stack([whisper.log_mel_spectrogram(piece, n_mels=dims.n_mels) for piece in some])
            ids += [result.tokens for result in whisper.decode(model, mel, decoding)]
        return ids

    return run, f"openai-whisper {whisper.__version__}, torch {torch.__version__}"


def librosa(options, audio):
    """The mel spectrogram alone, its output made inside the timing, its logarithm left out."""
    import librosa as library

    def run(pieces):
        return [library.feature.melspectrogram(y=piece, sr=16000, n_fft=400, hop_length=160, n_mels=80) for piece in pieces]

    return run, f"librosa {library.__version__}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=["faster_whisper", "transformers", "openai_whisper", "librosa"])
    parser.add_argument("--model", default="")
    parser.add_argument("--windows", type=int, default=20)
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--frames", type=int, default=628163, help="librosa only")
    options = parser.parse_args()
    mel = options.peer == "librosa"
    audio = signal((options.frames - 1) * 160 if mel else options.windows * 480000)
    pieces = [audio] if mel else [audio[i : i + 480000] for i in range(0, len(audio), 480000)]
    run, version = globals()[options.peer](options, audio)
    run([pieces[0][:480000]])  # warm: what is compiled or allocated at the first call
    wall, cpu = time.perf_counter(), time.process_time()
    result = run(pieces)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    tokens = 0 if mel else sum(len(ids) for ids in result)
    if not mel and tokens != options.windows * options.tokens:
        print(f"{tokens} tokens instead of {options.windows * options.tokens}", file=sys.stderr)
    json.dump({"peer": options.peer, "version": version, "wall": wall, "cpu": cpu, "tokens": tokens,
               "frames": int(result[0].shape[-1]) if mel else 0}, sys.stdout)  # fmt: skip


if __name__ == "__main__":
    main()
