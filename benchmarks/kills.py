#!/usr/bin/env python3
"""Kills trainings of the native program at random moments, has them go on, and compares what comes out with the same
training undisturbed, to the bit.

    benchmarks/kills.py PROGRAM KILLS SEED OUTPUT

Each kind of training, of texts, of pictures, and a sweep, is killed KILLS times (SIGKILL), several times in a training. A
training is lost if the same command does not go on, or begins again where it had been kept.
"""

import json
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "fixtures" / "golden"
# A training is killed so often before it may end.
KILLS_A_TRAINING = 8
PICTURE = 12


def language(folder):
    model = folder / "model"
    model.mkdir()
    for file in ("config.json", "model.safetensors"):
        shutil.copy(GOLDEN / "llama" / "model" / file, model / file)
    shutil.copy(GOLDEN / "tokenizer.json", model / "tokenizer.json")
    names = ("Alimentum", "The Mill", "Zizzi", "Aromi", "The Punter", "Cocum")
    lines = "".join(f"name : {name} | area : riverside||{name} is by the river .\n" for name in names)
    for file in ("train.txt", "valid.txt"):
        (folder / file).write_text(lines)


def optimizer(lr):
    return {
        "rule": "adamw", "preconditioner": None, "lr": lr, "lr_ratio_b": 1, "betas": [0.9, 0.999], "eps": 1e-8,
        "weight_decay": 0, "max_grad_norm": None, "schedule": {"warmup_steps": 0, "decay": "cosine"},
    }


class Texts:
    """`train`, two runs, kept every seven steps."""

    name = "texts"

    def prepare(self, folder):
        language(folder)
        scaled = optimizer(1e-2) | {"preconditioner": {"damping": 1e-6, "order": "simultaneous"}}
        settings = {
            "session": {
                "rank": 2, "alpha": 4, "dropout": 0.1, "targets": ["q_proj", "v_proj"], "batch_size": 2, "steps": 600,
                "seed": 0, "runs": [{"name": "a", "optimizer": optimizer(1e-2)}, {"name": "b", "optimizer": scaled}],
            },
            "data": {"sequence_length": 32},
        }
        (folder / "settings.json").write_text(json.dumps(settings))

    words = [
        "train", "model", "train.txt", "settings.json", "--checkpoint", "kept", "--checkpoint-every", "7",
        "--evaluate-every", "50", "--result", "result.json", "--output", "out",
    ]

    def curves(self, folder):
        files = sorted((folder / "out").rglob("*.safetensors"))
        return [json.loads((folder / "result.json").read_text())["runs"], *(file.read_bytes() for file in files)]

    def kept(self, folder):
        """Steps that are safe: what the file of the training says."""
        file = folder / "kept"
        if not file.exists():
            return 0
        found = re.search(rb'"step":(\d+),"diverged_at"', file.read_bytes().replace(b"\\", b""))
        return int(found[1])


class Pictures:
    """`images pretrain`, kept every hundred steps."""

    name = "pictures"

    def prepare(self, folder):
        icons = folder / "icons"
        icons.mkdir()
        seen = [("red", (230, 20, 20)), ("green", (20, 200, 40)), ("blue", (20, 40, 230))]
        self.write(icons / "pretraining.safetensors", seen, 0)
        self.write(icons / "combinations.safetensors", seen, 3)
        (icons / "words.txt").write_text("blue\ngreen\nred\n")
        settings = {
            "name": "test",
            "training": {
                "model": {
                    "image_size": PICTURE, "patch_size": 4, "vocab_size": 19, "caption_length": 2, "hidden_size": 16,
                    "intermediate_size": 20, "num_attention_heads": 2, "text_layers": 1, "denoiser_layers": 2,
                },
                "optimizer": optimizer(1e-2), "average_decay": 0.9, "caption_dropout": 0.1, "batch_size": 8,
                "steps": 1000, "seed": 0,
            },
        }
        (folder / "settings.json").write_text(json.dumps(settings))

    words = ["images", "pretrain", "icons", "settings.json", "model", "--result", "result.json"]

    @staticmethod
    def write(path, entries, validation):
        pixels = b"".join(bytes(colour) * PICTURE * PICTURE for _, colour in entries)
        captions = json.dumps([caption for caption, _ in entries])
        shape = [len(entries), PICTURE, PICTURE, 3]
        header = json.dumps({
            "__metadata__": {"captions": captions, "validation": str(validation)},
            "pictures": {"dtype": "U8", "shape": shape, "data_offsets": [0, len(pixels)]},
        }).encode()
        path.write_bytes(struct.pack("<Q", len(header)) + header + pixels)

    def curves(self, folder):
        result = json.loads((folder / "result.json").read_text())
        model = folder / "model"
        return [result["figures"], result["losses"], (model / "losses.jsonl").read_bytes(), (model / "model.safetensors").read_bytes()]

    def kept(self, folder):
        file = folder / "model" / "checkpoint.safetensors"
        if not file.exists():
            return 0
        return int(re.search(rb'"step":(\d+)', file.read_bytes().replace(b"\\", b""))[1])


class Sweep:
    """`sweep`, whose runs are kept as they end, and in between."""

    name = "sweep"

    def prepare(self, folder):
        language(folder)
        plan = {
            "session": {"rank": 2, "alpha": 4, "dropout": 0, "targets": ["q_proj", "v_proj"], "batch_size": 2, "steps": 120},
            "data": {"sequence_length": 32}, "validation_examples": 3, "seeds": [0, 1], "extensions": 1,
            "methods": [
                {"name": "AdamW", "preset": "adamw", "lrs": [1e-3, 1e-2]},
                {"name": "Scaled", "preset": "scaled-adamw-safe", "lrs": [1e-3, 1e-2]},
                {"name": "Wild", "preset": "scaled-gd-paper", "lrs": [1e30]},
            ],
        }
        (folder / "plan.json").write_text(json.dumps(plan))

    words = ["sweep", "model", "train.txt", "valid.txt", "plan.json", "--folder", "folder", "--output", "result.json"]

    def curves(self, folder):
        runs = json.loads((folder / "result.json").read_text())["runs"]
        for run in runs:
            # What it cost, which is another each time.
            run.pop("processor_seconds", None)
        return sorted(json.dumps(run, sort_keys=True) for run in runs)

    def kept(self, folder):
        """Runs that are safe."""
        file = folder / "folder" / "results.jsonl"
        return len(file.read_text().splitlines()) if file.exists() else 0


class Trainings:
    def __init__(self, program, kind, choices):
        self.program, self.kind, self.choices = program, kind, choices
        self.found = {"kills": 0, "curves": 0, "curves_equal": 0, "trainings_lost": 0}

    def start(self, folder):
        return subprocess.Popen([self.program, *self.kind.words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def undisturbed(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            self.kind.prepare(folder)
            began = time.monotonic()
            process = self.start(folder)
            words = process.communicate()[1]
            if process.returncode != 0:
                sys.exit(f"{self.kind.name}: {words.decode()}")
            return self.kind.curves(folder), time.monotonic() - began

    def lose(self, cause):
        self.found["trainings_lost"] += 1
        print(f"{self.kind.name}: {cause}", flush=True)

    def killed(self, expected, seconds, most):
        """One training, killed up to `most` times."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            self.kind.prepare(folder)
            kept = 0
            for _ in range(min(KILLS_A_TRAINING, most)):
                process = self.start(folder)
                try:
                    process.wait(self.choices.uniform(0, seconds / 3))
                except subprocess.TimeoutExpired:
                    process.kill()
                    self.found["kills"] += 1
                words = process.communicate()[1].decode(errors="replace")
                if process.returncode not in (0, -9):
                    return self.lose(f"after step {kept} it does not go on: {words}")
                before, kept = kept, self.kind.kept(folder)
                if kept < before:
                    return self.lose(f"what was kept went back from {before} to {kept}")
                if process.returncode == 0:
                    break
            process = self.start(folder)
            words = process.communicate()[1].decode(errors="replace")
            if process.returncode != 0:
                return self.lose(f"after step {kept} it does not go on: {words}")
            self.found["curves"] += 1
            if self.kind.curves(folder) == expected:
                self.found["curves_equal"] += 1
            else:
                print(f"{self.kind.name}: another curve than undisturbed", flush=True)

    def all(self, kills):
        expected, seconds = self.undisturbed()
        while self.found["kills"] < kills:
            self.killed(expected, seconds, kills - self.found["kills"])
            print(f"{self.kind.name}: {self.found}", flush=True)
        return self.found


def main():
    program, kills, seed, output = sys.argv[1:]
    kinds = {
        kind.name: Trainings(program, kind, random.Random(f"{seed} {kind.name}")).all(int(kills))
        for kind in (Texts(), Pictures(), Sweep())
    }
    pathlib.Path(output).write_text(json.dumps({"kinds": kinds}))


if __name__ == "__main__":
    main()
