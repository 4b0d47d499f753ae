"""Trains the exported text-to-image script on tiny Stable Diffusions: it trains, is killed, goes on, saves and draws.

    text_to_image.py SCRIPTS RESULT

SCRIPTS   text-to-image.py, two runs of twelve steps, and metadata.jsonl, captions as the page saves them
RESULT    where to write the figures as JSON
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import numpy
import torch
from diffusers import DDIMScheduler, DiffusionPipeline
from diffusers.utils import convert_state_dict_to_peft
from peft import LoraConfig, inject_adapter_in_model, set_peft_model_state_dict
from PIL import Image, ImageChops
from safetensors import safe_open
from safetensors.torch import load_file
from tiny_diffusion import write_stable_diffusion, write_stable_diffusion_xl

STEPS = 12
SIDE = 16
RUNS = {"AdamW": "AdamW", "Scaled AdamW": "Scaled-AdamW"}


def command(script, *options):
    return [sys.executable, str(script), *map(str, options)]


def trained(*words, status=0):
    done = subprocess.run(command(*words), capture_output=True, text=True, timeout=900)
    if done.returncode != status:
        sys.exit(f"FAILED: {words} ended with {done.returncode} in place of {status}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout, done.stderr


def write_pictures(folder, metadata):
    """Of different sizes and shapes, one of them transparent."""
    folder.mkdir()
    lines = metadata.read_text().splitlines()
    (folder / "metadata.jsonl").write_text(metadata.read_text())
    for number, line in enumerate(lines):
        row = json.loads(line)
        colour = (220, 30, 40, 128 if number == 0 else 255) if "red" in row["text"] else (30, 60, 220, 255)
        picture = Image.new("RGBA", (20 + 7 * number, 40), colour)
        (picture if row["file_name"].endswith((".png", ".webp")) else picture.convert("RGB")).save(folder / row["file_name"])


def expect(what, holds):
    if not holds:
        sys.exit(f"FAILED: {what}")
    print(what)


def largest_pixel(one, other):
    """The largest difference of two pictures."""
    difference = ImageChops.difference(Image.open(one).convert("RGB"), Image.open(other).convert("RGB"))
    return int(numpy.array(difference).max())


def killed_in_the_middle(script, options, steps):
    process = subprocess.Popen(command(script, *options), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in process.stdout:
        if f"step {steps} " in line:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return
    sys.exit(f"FAILED: it ended before step {steps}")


def load(pipeline, folder):
    """As diffusers loads it; where transformers wants a PEFT that is not released, text encoders by PEFT itself."""
    try:
        return pipeline.load_lora_weights(folder)
    except ValueError as error:
        if "version of PEFT" not in str(error):
            raise
        print(f"text encoders are loaded by PEFT, because transformers refuses to: {error}")
    pipeline.unload_lora_weights()
    file = folder / "pytorch_lora_weights.safetensors"
    weights = load_file(file)
    with safe_open(file, framework="pt") as opened:
        about = json.loads(opened.metadata()["lora_adapter_metadata"])
    for name in ("unet", "text_encoder", "text_encoder_2"):
        own = {key.removeprefix(f"{name}."): value for key, value in weights.items() if key.startswith(f"{name}.")}
        if not own:
            continue
        part = getattr(pipeline, name)
        config = {key.removeprefix(f"{name}."): value for key, value in about.items() if key.startswith(f"{name}.")}
        inject_adapter_in_model(LoraConfig(**config), part)
        missing = set_peft_model_state_dict(part, convert_state_dict_to_peft(own))
        if missing.unexpected_keys:
            sys.exit(f"FAILED: {file} has weights for no layer: {missing.unexpected_keys[:3]}")


def check_saved(base, folder, expected):
    """The adapter as diffusers loads it draws what the script has drawn."""
    pipeline = DiffusionPipeline.from_pretrained(base)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
    load(pipeline, folder)
    script = {}
    exec("\n".join(line for line in SCRIPT_LINES if line.startswith(("CAPTIONS =", "DRAW_STEPS =", "DRAW_SEED =", "GUIDANCE ="))), script)
    strip = Image.new("RGB", (SIDE * len(script["CAPTIONS"]), SIDE))
    for number, caption in enumerate(script["CAPTIONS"]):
        noise = torch.Generator().manual_seed(script["DRAW_SEED"] + number)
        [picture] = pipeline(
            caption, generator=noise, num_inference_steps=script["DRAW_STEPS"], guidance_scale=script["GUIDANCE"], height=SIDE, width=SIDE
        ).images
        strip.paste(picture, (SIDE * number, 0))
    return int(numpy.array(ImageChops.difference(strip, Image.open(expected).convert("RGB"))).max())


def check_base(name, write, script, metadata, folder):
    """Steps that were made, of all runs."""
    base = write(folder / name)
    pictures, whole, broken = folder / f"{name} pictures", folder / f"{name} whole", folder / f"{name} broken"
    write_pictures(pictures, metadata)
    options = [pictures, "--base", base, "--output"]
    trained(script, *options, whole)
    results = json.loads((whole / "losses.json").read_text())
    expect(f"{name}: both runs have {STEPS} losses", {run["name"]: len(run["losses"]) for run in results} == dict.fromkeys(RUNS, STEPS))
    expect(f"{name}: validated before, in between and after", all(list(run["validation"]) == ["0", "6", "12"] for run in results))
    first, second = (run["losses"] for run in results)
    expect(f"{name}: both begin with the same loss, and part", first[0] == second[0] and first[1:] != second[1:])
    expect(f"{name}: the loss of the pictures falls", all(run["validation"]["12"] < run["validation"]["0"] for run in results))
    # Killed after step 6, it goes on from step 4, the last that was kept.
    killed_in_the_middle(script, [*options, broken], 6)
    output, _ = trained(script, *options, broken)
    expect(f"{name}: it goes on after a kill", "AdamW  goes on after step 4" in output)
    resumed = json.loads((broken / "losses.json").read_text())
    expect(f"{name}: and has the losses of a training without one", resumed == results)
    for run, place in RUNS.items():
        strips = [whole / place / f"step-{step:06d}.png" for step in (6, 12)]
        expect(f"{name}, {run}: draws other pictures than the base", all(largest_pixel(whole / "base.png", strip) > 8 for strip in strips))
        expect(f"{name}, {run}: the saved adapter draws what was drawn", check_saved(base, whole / place, strips[1]) <= 1)
    return sum(len(run["losses"]) for run in results)


def check_refusals(script, base, metadata, folder):
    pictures = folder / "other pictures"
    _, errors = trained(script, pictures, "--base", base, status=1)
    expect("a folder without captions is told", "has no metadata.jsonl" in errors)
    write_pictures(pictures, metadata)
    (pictures / "two.jpg").unlink()
    (pictures / "four.png").write_bytes(b"no picture")
    _, errors = trained(script, pictures, "--base", base, status=1)
    expect("pictures that are missing or broken are told at once", "line 2:" in errors and "is not there" in errors and "line 4:" in errors)
    write_pictures(folder / "more pictures", metadata)
    options = [folder / "more pictures", "--base", base, "--output", folder / "sd whole", "--text-lr", "0.5"]
    _, errors = trained(script, *options, status=1)
    expect("a training with other settings is not gone on with", "is a training with other settings" in errors)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    scripts, result = map(pathlib.Path, sys.argv[1:])
    script, metadata = scripts / "text-to-image.py", scripts / "metadata.jsonl"
    SCRIPT_LINES.extend(script.read_text().splitlines())
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        steps = check_base("sd", write_stable_diffusion, script, metadata, folder)
        check_refusals(script, folder / "sd" / "base", metadata, folder)
        steps += check_base("sdxl", write_stable_diffusion_xl, script, metadata, folder)
    result.write_text(json.dumps({"figures": {"diffusers_script_steps": steps}}))


SCRIPT_LINES = []


if __name__ == "__main__":
    main()
