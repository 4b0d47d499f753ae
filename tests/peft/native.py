"""The native program, which exported scripts are compared with."""

import json
import subprocess
import sys


def native_losses(program, base, data, settings, evaluate_every, folder):
    """Losses by name of the run, "training" or "validation", and step."""
    done = subprocess.run(
        [program, "train", base, data, settings, "--json", "--evaluate-every", str(evaluate_every)],
        capture_output=True, text=True, cwd=folder,
    )
    if done.returncode != 0:
        sys.exit(f"FAILED: the native program:\n{done.stderr[-4000:]}")
    names = [run["name"] for run in json.loads(settings.read_text())["session"]["runs"]]
    found = {}
    for line in map(json.loads, done.stdout.splitlines()):
        kind = "validation" if "validation_losses" in line else "training"
        losses = line["validation_losses"] if kind == "validation" else [run["loss"] for run in line["runs"]]
        found |= {(name, kind, line["step"]): loss for name, loss in zip(names, losses, strict=True)}
    return found
