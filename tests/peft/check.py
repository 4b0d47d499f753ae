"""Checks what leaves the page against the real PEFT and transformers; scripts/check-peft makes the files and calls it.

    check.py EXPORTED SCRIPTS GOLDEN

EXPORTED   a folder each of llama, gpt2 and every family, of parts of layers and of rsLoRA: adapter/, merged/,
           adapter.gguf, logits.json
SCRIPTS    the golden experiment as the page's PEFT script: llama.py and gpt2.py
GOLDEN     tests/fixtures/golden
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import gguf
import numpy
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
from transformers.utils import logging

TOLERANCE = 1e-4


def check(what, error):
    if not error <= TOLERANCE:
        sys.exit(f"FAILED: {what}: {error:.1e}, and {TOLERANCE:.0e} is allowed")
    print(f"{what}: {error:.1e}")


def logits_of(model, golden):
    ids = torch.tensor(golden["batches"][0]["ids"])
    with torch.no_grad():
        return model.eval()(input_ids=ids).logits.flatten()


def base_name(folder):
    """What the folders of one base have in common."""
    return folder.name.split("-")[0]


def golden_of(folder, golden):
    """Where the base of an exported folder is."""
    name = base_name(folder)
    return golden / name if (golden / name).is_dir() else golden / "families" / name


def base_of(folder, golden):
    return AutoModelForCausalLM.from_pretrained(golden_of(folder, golden) / "model").float()


def check_exported(folder, golden_folder):
    name = folder.name
    golden = json.loads((golden_of(folder, golden_folder) / "golden.json").read_text())
    ours = torch.tensor(json.loads((folder / "logits.json").read_text()))
    largest = ours.abs().max()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # What PEFT itself asks transformers, whatever the adapter is.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        model = PeftModel.from_pretrained(base_of(folder, golden_folder), folder / "adapter")
    check(f"{name}: logits of PEFT", float((logits_of(model, golden) - ours).abs().max() / largest))
    merged, report = AutoModelForCausalLM.from_pretrained(folder / "merged", output_loading_info=True)
    wrong = {key: value for key, value in report.items() if value}
    if wrong:
        sys.exit(f"FAILED: {name}: transformers reports {wrong} of the merged model")
    check(f"{name}: logits of the merged model", float((logits_of(merged, golden) - ours).abs().max() / largest))
    check_gguf(name, folder / "adapter.gguf", model)


# Of these llama.cpp's converter brings the two rows that a rotary position turns beside each other.
IN_PAIRS = {"llama", "granite", "smollm3"}


def in_order(change, architecture, weight, config):
    """The rows of a change of weight as Hugging Face has them."""
    if architecture in IN_PAIRS and weight.endswith(("attn_q", "attn_k")):
        width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return change.reshape(-1, width // 2, 2, change.shape[1]).transpose(1, 2).reshape(change.shape)
    if architecture == "gptneox" and weight.endswith("attn_qkv"):
        heads = config.num_attention_heads
        return change.reshape(3, heads, -1, change.shape[1]).transpose(0, 1).reshape(change.shape)
    return change


def check_gguf(name, path, model):
    """Every change of weight of the GGUF file, put together as llama.cpp does, is PEFT's."""
    reader = gguf.GGUFReader(path)
    alpha = reader.fields["adapter.lora.alpha"].contents()
    architecture = reader.fields["general.architecture"].contents()
    found = {tensor.name: torch.tensor(numpy.array(tensor.data)) for tensor in reader.tensors}
    config = model.get_base_model().config
    numbers = {name: number for number, name in gguf.MODEL_ARCH_NAMES.items()}
    names = gguf.get_tensor_name_map(numbers[architecture], config.num_hidden_layers)
    largest = 0.0
    layers = {key: module for key, module in model.named_modules() if hasattr(module, "get_delta_weight")}
    for key, module in layers.items():
        weight = names.get_name(key.removeprefix("base_model.model."))
        a, b = (found.pop(f"{weight}.weight.lora_{factor}") for factor in "ab")
        change = in_order(alpha / b.shape[1] * b @ a, architecture, weight, config)
        theirs = module.get_delta_weight("default")
        theirs = theirs.T if config.model_type == "gpt2" else theirs
        largest = max(largest, float((theirs - change).abs().max() / change.abs().max()))
    if found or not layers:
        sys.exit(f"FAILED: {name}: GGUF tensors that PEFT does not have: {sorted(found)}")
    check(f"{name}: changes of weight in the GGUF file", largest)


def check_script(script, golden_folder):
    folder = golden_folder / script.stem
    golden = json.loads((folder / "golden.json").read_text())
    with tempfile.TemporaryDirectory() as temporary:
        batches, result = (pathlib.Path(temporary) / name for name in ("batches.json", "result.json"))
        batches.write_text(json.dumps(golden["batches"]))
        options = ["--base", folder / "model", "--adapter", folder / "adapter_init"]
        command = [sys.executable, script, *options, "--batches", batches, "--result", result]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"FAILED: {script.name}:\n{done.stderr[-4000:]}")
        results = json.loads(result.read_text())
    missing = set(golden["cases"]) - {run["name"] for run in results}
    if missing != {"scaled_adamw_sequential"}:
        sys.exit(f"FAILED: {script.name} skipped {sorted(missing)}")
    for run in results:
        expected = golden["cases"][run["name"]]["losses"][: len(run["losses"])]
        error = max(abs(one - other) for one, other in zip(run["losses"], expected, strict=True))
        check(f"{script.stem}: golden losses of {run['name']}", error)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    exported, scripts, golden = map(pathlib.Path, sys.argv[1:])
    for folder in sorted(exported.iterdir()):
        check_exported(folder, golden)
    for script in (scripts / "llama.py", scripts / "gpt2.py"):
        check_script(script, golden)
    print("All agree.")


if __name__ == "__main__":
    main()
