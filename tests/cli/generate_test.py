#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tutti generate as its users meet it, on the small random checkpoints of the tests: a language model of 64 codes and a codec at
1,600 Hz. What they make is noise; files, limits, interruption and resumption are what is tested."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

TUTTI, SOURCE = sys.argv[1], sys.argv[2]
DATA = os.path.join(SOURCE, "tests", "data", "parity")
LYRICS = "[verse]\nla la la"


def run(*arguments, timeout=600, **environment):
    return subprocess.run([TUTTI, *arguments], capture_output=True, timeout=timeout, env={**os.environ, **environment})


def read(path):
    with open(path, "rb") as file:
        return file.read()


def load(path):
    return json.loads(read(path))


def write(path, data):
    with open(path, "w") as file:
        file.write(data if isinstance(data, str) else json.dumps(data))


def digest(path):
    return hashlib.sha256(read(path)).hexdigest()


class Generate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory()
        cls.model = os.path.join(cls.shared.name, "model")
        shutil.copytree(os.path.join(DATA, "heartmula", "small"), cls.model)
        shutil.copytree(os.path.join(DATA, "heartcodec", "small", "HeartCodec-oss"), os.path.join(cls.model, "HeartCodec-oss"))

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def generate(self, *arguments, **more):
        steps = [] if "--flow-steps" in arguments else ["--flow-steps", "1"]
        return run("generate", "--model", self.model, "--tags", "pop", "--ignore-eos", "--quiet", *steps, *arguments, **more)

    def make(self, name, *arguments):
        seed = [] if "--seed" in arguments else ["--seed", "5"]
        done = self.generate("--lyrics", LYRICS, "--length", "9.52", "-o", self.path(name), *seed, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return self.path(name)

    def test_a_song_and_what_stands_beside_it(self):
        for ending in ("wav", "flac", "ogg"):
            sound = self.make("song." + ending, "--bits", "16")
            self.assertGreater(os.path.getsize(sound), 1000)
        codes = load(self.path("song.codes.json"))
        side = load(self.path("song.json"))
        self.assertEqual(codes["frames"], 120)
        self.assertEqual(len(codes["codes"]), 120)
        self.assertTrue(all(len(frame) == 8 and max(frame) < 64 for frame in codes["codes"]))
        self.assertEqual((side["seed"], side["frames"], codes["seed"]), (5, 120, 5))
        self.assertAlmostEqual(side["seconds"], 9.6, delta=0.001)
        for key in ("language_digest", "codec_digest"):
            self.assertEqual(len(side[key]), 64)
        self.assertEqual(side["lyrics"], LYRICS)

    def test_the_same_seed_gives_the_same_bytes_whatever_the_way(self):
        whole = digest(self.make("whole.wav"))
        names = {"lazy": ["--lazy"], "threads": ["--threads", "1"], "stream": ["--stream", "--null"]}
        codes = load(self.path("whole.codes.json"))["codes"]
        wave = read(self.path("whole.wav"))
        for name, more in names.items():
            self.make(name + ".wav", *more)
            self.assertEqual(load(self.path(name + ".codes.json"))["codes"], codes, name)
            other = read(self.path(name + ".wav"))
            at, there = wave.index(b"data"), other.index(b"data")  # the title before it is the file's name
            self.assertEqual(wave[at : at + 8 + 57600], other[there : there + 8 + 57600], name)
        other = self.make("seed.wav", "--seed", "6")
        self.assertNotEqual(whole, digest(other))

    def test_songs_of_a_batch_are_those_of_their_seeds(self):
        self.make("many.wav", "--songs", "3")
        self.make("one.wav", "--seed", "7")
        self.assertEqual(load(self.path("many-3.codes.json"))["codes"], load(self.path("one.codes.json"))["codes"])
        self.assertFalse(os.path.exists(self.path("many.wav")))

    def test_decode_only_and_resume(self):
        self.make("whole.wav")
        codes = load(self.path("whole.codes.json"))
        cut = {**codes, "codes": codes["codes"][:57], "frames": 57, "ended": False}
        write(self.path("cut.codes.json"), cut)
        done = run("generate", "--model", self.model, "--resume", self.path("cut.codes.json"), "-o", self.path("rest.wav"), "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(load(self.path("rest.codes.json"))["codes"], codes["codes"])
        done = run("generate", "--model", self.model, "--decode-only", self.path("whole.codes.json"), "-o", self.path("again.wav"), "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        a, b, c = (read(self.path(name)) for name in ("whole.wav", "rest.wav", "again.wav"))
        for other in (b, c):
            self.assertEqual(a[a.index(b"data") : a.index(b"data") + 57608], other[other.index(b"data") : other.index(b"data") + 57608])
        write(self.path("foreign.codes.json"), {**cut, "language_digest": "0" * 64})
        done = run("generate", "--model", self.model, "--resume", self.path("foreign.codes.json"), "-o", self.path("no.wav"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("another language model", done.stderr.decode())

    def test_the_reference_spellings(self):
        lyrics, tags = self.path("lyrics.txt"), self.path("tags.txt")
        write(lyrics, LYRICS)
        write(tags, "pop")
        done = run("generate", "--model_path", self.model, "--version", "3B", "--lyrics", lyrics, "--tags", tags, "--save_path",
                   self.path("r.wav"), "--max_audio_length_ms", "9520", "--topk", "50", "--temperature", "1.0", "--cfg_scale", "1.5",
                   "--lazy_load", "false", "--mula_device", "cpu", "--codec_device", "cpu", "--mula_dtype", "float32", "--codec_dtype",
                   "float32", "--seed", "5", "--flow-steps", "1", "--ignore-eos", "--quiet")  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.make("ours.wav")
        self.assertEqual(load(self.path("r.codes.json"))["codes"], load(self.path("ours.codes.json"))["codes"])

    def test_wrong_requests_are_told_at_once(self):
        cases = [
            (["--lyrics", LYRICS, "-o", self.path("x.xyz")], "names no format", 2),
            (["--lyrics", LYRICS], "no -o is given", 2),
            (["-o", self.path("x.wav")], "no --lyrics", 2),
            (["--lyrics", "  ", "-o", self.path("x.wav")], "the lyrics are empty", 2),
            (["--lyrics", "gone.txt", "-o", self.path("x.wav")], "there is no such file", 4),
            (["--lyrics", LYRICS, "--length", "240", "-o", self.path("x.wav")], "positions", 2),
            (["--lyrics", LYRICS, "--dtype", "fp8", "-o", self.path("x.wav")], "--dtype fp8", 2),
            (["--lyrics", LYRICS, "--device", "cuda", "-o", self.path("x.wav")], "use cpu", 2),
            (["--lyrics", LYRICS, "--mode", "fast", "-o", self.path("x.wav")], "speed or quality", 2),
            (["--lyrics", LYRICS, "--length", "5", "--top-k", "0", "-o", self.path("x.wav")], "top-k", 2),
            (["--lyrics", LYRICS, "--length", "5", "--version", "7B", "-o", self.path("x.wav")], "HeartMuLa-oss-7B", 4),
            (["--lyrics", LYRICS, "--length", "5", "-o", self.path("none/x.wav")], "none", 5),
            (["--resume", self.path("none.codes.json"), "-o", self.path("x.wav")], "none.codes.json", 4),
        ]
        for arguments, text, code in cases:
            done = self.generate(*arguments)
            self.assertEqual(done.returncode, code, (arguments, done.stderr.decode()))
            self.assertIn(text, done.stderr.decode(), arguments)
            self.assertFalse(os.path.exists(self.path("x.wav")))
        done = run("generate", "--model", self.path("nowhere"), "--lyrics", "x", "-o", self.path("x.wav"))
        self.assertEqual(done.returncode, 4)
        self.assertIn("nowhere", done.stderr.decode())
        self.assertIn("nothing is downloaded", done.stderr.decode())
        done = run("generate", "--model", self.model, "--tags", "hip hop,zither", "--lyrics", "x", "--length", "1", "--seed", "1",
                   "--ignore-eos", "--flow-steps", "1", "-o", self.path("n.wav"))  # fmt: skip
        self.assertIn("tags with spaces", done.stderr.decode())
        self.assertIn("zither", done.stderr.decode())

    def test_an_interrupted_song_is_kept_and_goes_on(self):
        whole = self.make("whole.wav", "--flow-steps", "40")
        process = subprocess.Popen([TUTTI, "generate", "--model", self.model, "--tags", "pop", "--lyrics", LYRICS, "--length", "9.52", "--seed",
                                    "5", "--flow-steps", "1000", "--ignore-eos", "-o", self.path("cut.wav")], stderr=subprocess.PIPE)  # fmt: skip
        said = b""
        for line in process.stderr:  # until it says how far it is
            said += line
            if b"%" in line:
                break
        process.send_signal(signal.SIGINT)
        told = (said + process.communicate(timeout=300)[1]).decode()
        self.assertEqual(process.returncode, 130, told)
        self.assertIn("interrupted", told)
        codes = load(self.path("cut.codes.json"))
        self.assertFalse(codes["ended"])
        self.assertGreater(codes["frames"], 0)
        self.assertFalse([name for name in os.listdir(self.folder.name) if "unfinished" in name])
        done = run("generate", "--model", self.model, "--resume", self.path("cut.codes.json"), "--flow-steps", "40", "-o", self.path("rest.wav"),
                   "--quiet")  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertEqual(load(self.path("rest.codes.json"))["codes"], load(self.path("whole.codes.json"))["codes"])
        self.assertTrue(os.path.exists(whole))

    def test_a_song_is_heard_again(self):
        transcriber = os.path.join(DATA, "whisper", "short", "HeartTranscriptor-oss")
        done = run("generate", "--model", self.model, "--tags", "pop", "--lyrics", LYRICS, "--length", "4", "--seed", "5", "--flow-steps", "1",
                   "--ignore-eos", "--verify", transcriber, "-o", self.path("v.wav"))  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn("words heard", done.stdout.decode() + done.stderr.decode())  # random weights: how many says nothing
        lines = read(self.path("v.lrc")).decode()
        self.assertIn("la", lines)
        self.assertRegex(lines, r"<00:0\d\.\d\d>")

    def test_a_song_plays_beside_the_synth(self):
        arguments = ["play", "--generate", self.model, "--tags", "pop", "--length", "2", "--seed", "5", "--flow-steps", "1", "--null", "--no-midi"]
        done = run(*arguments, "--lyrics", LYRICS, "--record", self.path("heard.wav"))
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        samples = read(self.path("heard.wav"))[100:]
        self.assertGreater(len(samples), 2 * 48000 * 6)
        self.assertTrue(any(samples))
        for lyrics, text, code in (([], "no --lyrics", 2), (["--lyrics", "gone.txt"], "there is no such file", 4)):
            done = run(*arguments, *lyrics)
            self.assertEqual(done.returncode, code, done.stderr.decode())
            self.assertIn(text, done.stderr.decode())

    def test_int8_is_compared_before_it_is_used(self):
        done = run("generate", "--model", self.model, "--tags", "pop", "--lyrics", LYRICS, "--length", "2", "--seed", "5", "--flow-steps", "1",
                   "--ignore-eos", "--dtype", "int8", "-o", self.path("i.wav"))  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        self.assertIn("fp32", done.stderr.decode())
        self.assertIn(load(self.path("i.json"))["dtype"], ("int8", "bf16"))

    def test_validate_and_bench(self):
        done = run("models", "validate", self.model, "--json")
        self.assertEqual(done.returncode, 0, done.stderr.decode() + done.stdout.decode())
        self.assertTrue(json.loads(done.stdout)["valid"])
        broken = self.path("broken")
        shutil.copytree(self.model, broken)
        shard = os.path.join(broken, "HeartMuLa-oss-3B", "model-00003-of-00005.safetensors")
        with open(shard, "r+b") as file:
            file.seek(-4, os.SEEK_END)
            file.write(b"\xff\xff\xff\x7f")  # NaN
        done = run("models", "validate", broken)
        self.assertEqual(done.returncode, 4)
        self.assertIn("NaN", done.stderr.decode())
        done = run("bench", "generate", "--model", self.model, "--frames", "20", "--prompt", "30", "--songs", "2", "--in-a-row", "--cancels", "2",
                   "--threads", "1", "--json")  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        result = json.loads(done.stdout)
        for key in ("load_seconds", "frames_per_second", "peak_mb", "codes_checksum", "of_read_bandwidth", "batch_of_in_a_row"):
            self.assertIn(key, result)
        self.assertTrue(result["same_codes"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
