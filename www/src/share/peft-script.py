"""An experiment of riemann-lora's page, with transformers, PEFT and Accelerate.

    pip install torch transformers accelerate "peft>=0.21"
    python experiment.py DATA                     # one process
    accelerate launch experiment.py DATA          # as Accelerate is configured

Base, rank, alpha, layers, batch, steps, schedules, clipping and optimizers are those of the page. The first lora_A and
the order of examples are drawn by torch, which draws other numbers than the page, so curves agree in kind and not in
digits; with --adapter and --batches both can be given, and then the losses are the same.
"""

import argparse
import csv
import json
import math
import pathlib
import random

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from peft import LoraConfig, PeftModel, get_peft_model
from peft.optimizers import create_loraplus_optimizer, create_riemannian_optimizer
from transformers import AutoModelForCausalLM, AutoTokenizer

# SETTINGS

class DecoupledSGD(torch.optim.SGD):
    """SGD whose weight decay shrinks the weights and stays out of the momentum."""

    @torch.no_grad()
    def step(self, closure=None):
        decays = [group["weight_decay"] for group in self.param_groups]
        for group, decay in zip(self.param_groups, decays):
            for parameter in group["params"]:
                parameter.mul_(1 - group["lr"] * decay)
            group["weight_decay"] = 0.0
        loss = super().step(closure)
        for group, decay in zip(self.param_groups, decays):
            group["weight_decay"] = decay
        return loss


def trained(model):
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def lora_b_of(model):
    """LoRA-FA as the page has it: lora_A rests. PEFT's own LoRA-FA also preconditions."""
    for name, parameter in model.named_parameters():
        if "lora_A" in name:
            parameter.requires_grad_(False)
    return trained(model)


def factor(run, step):
    """What lr is multiplied with at a step, which counts from 0."""
    warmup = run["warmup_steps"]
    if step < warmup:
        return step / warmup
    progress = min(1.0, (step - warmup) / max(1, STEPS - warmup))
    if run["decay"] == "linear":
        return 1 - progress
    if run["decay"] == "cosine":
        return 0.5 * (1 + math.cos(math.pi * progress))
    return 1.0


KNOWN_FIELDS = [
    (["prompt"], "completion"),
    (["prompt"], "response"),
    (["question"], "answer"),
    (["instruction", "input"], "output"),
    (["instruction", "context"], "response"),
    (["input"], "output"),
    (["input"], "target"),
    (["source"], "target"),
]


def pair_of(fields):
    """Prompt and completion of a record; None where it has neither."""
    columns = DATA_SETTINGS["columns"]
    choices = [(columns["prompt"], columns["completion"])] if columns else KNOWN_FIELDS
    for prompt, completion in choices:
        if prompt[0] in fields and completion in fields:
            first, *rest = [fields.get(name) or "" for name in prompt]
            return "\n".join([first, *[part for part in rest if part]]), fields[completion]
    return None


def records(path):
    """Pairs (prompt, completion), conversations (lists of messages) and documents (text)."""
    text = path.read_text(encoding="utf-8-sig")
    lines = [line for line in text.splitlines() if line.strip()]
    kind = DATA_SETTINGS["format"]
    if kind is None and path.suffix in (".jsonl", ".ndjson", ".json"):
        kind = "json_lines"
    if kind is None and path.suffix in (".csv", ".tsv"):
        kind = "table"
    if kind is None:
        is_json = lines and all(line.lstrip().startswith("{") for line in lines[:20])
        is_pairs = lines and all("||" in line for line in lines[:20])
        kind = "json_lines" if is_json else "pairs" if is_pairs else "text"
    if kind == "pairs":
        return [tuple(part.strip() for part in line.split("||", 1)) for line in lines]
    if kind == "json_lines":
        objects = [json.loads(line) for line in lines]
        return [fields.get("messages") or pair_of(fields) or fields["text"] for fields in objects]
    if kind == "table":
        separator = "\t" if path.suffix == ".tsv" else ","
        return [pair_of(fields) for fields in csv.DictReader(text.splitlines(keepends=True), delimiter=separator)]
    if DATA_SETTINGS["documents"] == "blank_line":
        return [document for document in text.split("\n\n") if document.strip()]
    return [text]


def encode(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def pair_example(tokenizer, prompt, completion, begin):
    if DATA_SETTINGS["prompt_style"] == "chat":
        return chat_example(tokenizer, [{"role": "user", "content": prompt}, {"role": "assistant", "content": completion}])
    context = begin + encode(tokenizer, prompt + "\n")
    answer = encode(tokenizer, completion) + [tokenizer.eos_token_id]
    first = context if DATA_SETTINGS["loss_on"] == "all" else [-100] * len(context)
    return context + answer, first + answer


def chat_example(tokenizer, messages):
    ids, labels, written = [], [], ""
    for index, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = tokenizer.apply_chat_template(messages[:index], tokenize=False, add_generation_prompt=True)
        after = tokenizer.apply_chat_template(messages[: index + 1], tokenize=False)
        context, turn = encode(tokenizer, before[len(written) :]), encode(tokenizer, after[len(before) :])
        end = max((place + 1 for place, token in enumerate(turn) if token == tokenizer.eos_token_id), default=len(turn))
        counts_all = DATA_SETTINGS["loss_on"] == "all"
        ids += context + turn
        labels += context if counts_all else [-100] * len(context)
        labels += turn if counts_all else turn[:end] + [-100] * (len(turn) - end)
        written = after
    return ids, labels


def examples(path, tokenizer):
    """Ids and labels of every example, and how many of them at the end are held out."""
    length = DATA_SETTINGS["sequence_length"]
    begin = tokenizer("a")["input_ids"][:1] if tokenizer.bos_token_id is not None else []
    begin = begin if begin == [tokenizer.bos_token_id] else []
    found, stream = [], []
    for record in records(path):
        if isinstance(record, str):
            stream += [tokenizer.eos_token_id] * bool(stream) + begin + encode(tokenizer, record)
        elif isinstance(record, tuple):
            found.append(pair_example(tokenizer, *record, begin))
        elif record is not None:
            found.append(chat_example(tokenizer, record))
    windows = [stream[first : first + length] for first in range(0, len(stream), length)]
    found += [(window, list(window)) for window in windows if len(window) > 1]
    found = found[: DATA_SETTINGS["maximum_examples"]]
    found = [(ids[:length], labels[:length]) for ids, labels in found]
    found = [(ids, labels) for ids, labels in found if any(label != -100 for label in labels[1:])]
    random.Random(DATA_SETTINGS["seed"]).shuffle(found)
    validation = DATA_SETTINGS["validation"]
    held_out = 0 if validation == "none" else validation.get("count", round(len(found) * validation.get("share", 0)))
    if len(found) <= held_out:
        raise SystemExit(f"{path} has {len(found)} examples, of which {held_out} are held out: nothing is left to train on.")
    return found[held_out:], found[:held_out]


def batch_of(rows, pad):
    """Padded on the right, where no counted token sees it."""
    width = max(len(ids) for ids, _ in rows)
    ids = [ids + [pad] * (width - len(ids)) for ids, _ in rows]
    labels = [labels + [-100] * (width - len(labels)) for _, labels in rows]
    return {"ids": ids, "labels": labels}


def file_batches(path, tokenizer):
    training, held_out = examples(path, tokenizer)
    pad = tokenizer.eos_token_id or 0
    drawn, epoch = [], 0
    while len(drawn) < STEPS * BATCH_SIZE:
        order = list(range(len(training)))
        random.Random(f"{SEED} {epoch}").shuffle(order)
        drawn += [training[place] for place in order]
        epoch += 1
    batches = [batch_of(drawn[step * BATCH_SIZE : (step + 1) * BATCH_SIZE], pad) for step in range(STEPS)]
    starts = range(0, len(held_out), BATCH_SIZE)
    return batches, [batch_of(held_out[start : start + BATCH_SIZE], pad) for start in starts]


def loss_of(model, batch, device):
    ids, labels = (torch.tensor(batch[key], device=device) for key in ("ids", "labels"))
    return model(input_ids=ids, labels=labels).loss, int((labels[:, 1:] != -100).sum())


@torch.no_grad()
def validation_loss(model, batches, device):
    model.eval()
    losses = [loss_of(model, batch, device) for batch in batches]
    model.train()
    return sum(float(loss) * count for loss, count in losses) / sum(count for _, count in losses)


def train(run, arguments, batches, held_out):
    accelerator = Accelerator()
    set_seed(SEED)  # The same lora_A in every run.
    base = AutoModelForCausalLM.from_pretrained(arguments.base, **BASE_SETTINGS).float()
    if arguments.adapter:
        model = PeftModel.from_pretrained(base, arguments.adapter, is_trainable=True)
    else:
        model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", **LORA))
    optimizer = run["optimizer"](model)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: factor(run, step))
    model, optimizer = accelerator.prepare(model, optimizer)
    model.train()
    losses, validation = [], {}
    for step, batch in enumerate(batches, 1):
        # Each process takes its share of the rows; Accelerate averages the gradients.
        process, processes = accelerator.process_index, accelerator.num_processes
        own = {key: rows[process::processes] for key, rows in batch.items()}
        loss, _ = loss_of(model, own, accelerator.device)
        accelerator.backward(loss)
        if run["max_grad_norm"] is not None:
            accelerator.clip_grad_norm_(trained(model), run["max_grad_norm"])
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(float(accelerator.reduce(loss.detach(), "mean")))
        accelerator.print(f"{run['name']}  step {step}  loss {losses[-1]:.4f}")
        if held_out and VALIDATE_EVERY and (step % VALIDATE_EVERY == 0 or step == len(batches)):
            validation[step] = validation_loss(model, held_out, accelerator.device)
            accelerator.print(f"{run['name']}  step {step}  validation loss {validation[step]:.4f}")
    accelerator.free_memory()
    return {"name": run["name"], "losses": losses, "validation": validation}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=pathlib.Path, default=pathlib.Path(DATA or "data.txt"))
    parser.add_argument("--base", default=BASE, help="id on the Hugging Face hub, or a folder")
    parser.add_argument("--adapter", help="PEFT folder that all runs start from, in place of fresh adapters")
    parser.add_argument("--batches", type=pathlib.Path, help="JSON with a list of {ids, labels}, one a step, in place of DATA")
    parser.add_argument("--result", type=pathlib.Path, help="where to write all losses as JSON")
    arguments = parser.parse_args()
    if arguments.batches:
        batches, held_out = json.loads(arguments.batches.read_text())[:STEPS], []
    else:
        batches, held_out = file_batches(arguments.data, AutoTokenizer.from_pretrained(arguments.base))
    results = []
    for run in RUNS:
        if "skipped" in run:
            print(f"{run['name']} is skipped: {run['skipped']}.")
            continue
        results.append(train(run, arguments, batches, held_out))
    if arguments.result:
        arguments.result.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
