"""An experiment of riemann-lora's page, with transformers, PEFT and Accelerate.

    pip install torch transformers accelerate "peft>=0.21"    # and pyarrow for a parquet file
    python experiment.py DATA                     # one process
    accelerate launch experiment.py DATA          # as Accelerate is configured

Base, rank, alpha, layers, batch, steps, schedules, clipping and optimizers are those of the page. The first lora_A and
the order of examples are drawn by torch, which draws other numbers than the page, so curves agree in kind and not in
digits; with --adapter and --batches both can be given, and then the losses are the same.
"""

import argparse
import csv
import datetime
import decimal
import io
import json
import math
import pathlib
import random
import urllib.request

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from peft import LoraConfig, PeftModel, get_peft_model
from peft.optimizers import create_loraplus_optimizer, create_riemannian_optimizer
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

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


class Clock:
    """The day that chat templates write; on the page it is the same on every day, so that a row stays the same text."""

    @staticmethod
    def now():
        return datetime.datetime(2024, 7, 26)


chat_template_utils.datetime = Clock

# READING

def encode(tokenizer, text, written):
    """Tokens of a text and their places. Control tokens that stand inside of `written`, spans of what people wrote, are text."""

    def pieces(part, start, **options):
        encoded = tokenizer(part, add_special_tokens=False, return_offsets_mapping=True, **options)
        places = [(start + first, start + end) for first, end in encoded["offset_mapping"]]
        return list(zip(encoded["input_ids"], places))

    control = set(tokenizer.all_special_ids) | {
        number for number, token in tokenizer.added_tokens_decoder.items() if token.special
    }
    is_written = lambda place: any(place[0] < end and start < place[1] for start, end in written)
    tokens = pieces(text, 0)
    if not any(token in control and is_written(place) for token, place in tokens):
        return tokens
    result, start = [], 0
    for token, place in [*tokens, (None, (len(text), len(text)))]:
        if token is None or (token in control and not is_written(place)):
            if start < place[0]:
                result += pieces(text[start : place[0]], start, split_special_tokens=True)
            start = place[1]
            result += [] if token is None else [(token, place)]
    return result


def first_from(tokens, border):
    """The number of tokens before a border; one that reaches over it is behind it."""
    return sum(place[1] <= border for _, place in tokens)


def pair_example(tokenizer, row, begin, ends):
    prompt, completion = row["prompt"], row["completion"]
    if DATA_SETTINGS["prompt_style"] == "chat":
        messages = [{"role": "system", "content": row["system"]}] if row["system"] is not None else []
        messages += [{"role": "user", "content": prompt}, {"role": "assistant", "content": completion}]
        return chat_example(tokenizer, {"messages": [{"learned": True, "more": {}, **each} for each in messages], "tools": None}, ends)
    prompt = prompt if row["system"] is None else row["system"] + "\n" + prompt
    prompt = prompt.removeprefix(tokenizer.bos_token) if begin else prompt
    completion = completion.removesuffix(tokenizer.eos_token)
    if not completion.strip():
        raise RowError("an empty answer")
    text = prompt + DATA_SETTINGS["separator"] + completion
    border = len(text) - len(completion)
    tokens = encode(tokenizer, text, [(0, len(prompt)), (border, len(text))])
    learned = first_from(tokens, border)
    ids = begin + [token for token, _ in tokens] + [tokenizer.eos_token_id]
    if DATA_SETTINGS["loss_on"] == "all":
        return ids, list(ids)
    context = len(begin) + learned
    return ids, [-100] * context + ids[context:]


# Bytes of the largest pair or conversation: the page tokenises it in one piece.
LARGEST_ROW = 2**20


def check_size(row):
    texts = [row.get(name) or "" for name in ("system", "prompt", "completion")]
    for each in row.get("messages", []):
        texts += [each["content"], *(json.dumps(value, ensure_ascii=False) for value in each["more"].values())]
    texts += [json.dumps(row["tools"], ensure_ascii=False)] if row.get("tools") else []
    if sum(len(text.encode()) for text in texts) > LARGEST_ROW:
        raise RowError(f"more than {LARGEST_ROW:,} bytes of text")


def rendered(tokenizer, row):
    """A conversation as the chat template writes it, and the place of each content in it."""
    messages = [{"role": each["role"], "content": each["content"], **each["more"]} for each in row["messages"]]

    def render(messages, opening=False, tools=row["tools"]):
        try:
            return tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, add_generation_prompt=opening)
        except Exception as error:  # Templates are programs, and may fail in any way.
            raise RowError(f"messages that the chat template refuses: {error}") from error

    # Letters of Unicode's private use area, which no template looks for and nobody here has written.
    said = "".join(each["content"] for each in messages)
    opens, closes, *_ = (letter for letter in map(chr, range(0xF8F0, 0xF8FF)) if letter not in said)

    def marked(chosen):
        return [
            {**each, "content": opens + each["content"] + closes} if number in chosen else each
            for number, each in enumerate(messages)
        ]

    text = render(messages)
    if row["tools"] and render(messages, tools=None) == text:
        raise RowError("`tools`, which the chat template does not write")
    for each in messages:
        for call in each.get("tool_calls", []):
            if call.get("function", call).get("name", opens) not in text:
                raise RowError("`tool_calls`, which the chat template does not write")
    places = []
    for number, each in enumerate(messages):
        # What stands before and after a content must be the same with and without marks.
        try:
            with_marks = render(marked({number}))
        except RowError:
            with_marks = ""
        before, opened, _ = with_marks.partition(opens)
        _, closed, after = with_marks.rpartition(closes)
        earliest = places[-1][1] if places else 0
        end = len(text) - len(after) if closed and text.endswith(after) else None
        start = len(before) if opened and text.startswith(before) else None
        if start is not None and end is not None and earliest <= start <= end:
            places.append((start, end))
        elif start is None and end is not None and each["role"] == "assistant" and earliest <= end:
            said = each["content"].strip()
            said = next(said[cut:] for cut in range(len(said) + 1) if text[earliest:end].endswith(said[cut:]))
            places.append((end - len(said), end))
        else:
            raise RowError(f"message {number + 1}, which the chat template leaves out or changes")
    first = next(number for number, each in enumerate(messages) if each["role"] == "assistant")
    before = messages[:first] if first else messages
    try:
        opened, closed = render(before, True), render(before)
    except RowError:
        opened = closed = ""
    same = next((at for at, (one, other) in enumerate(zip(opened, closed)) if one != other), min(len(opened), len(closed)))
    return text, places, opened[same:]


def chat_example(tokenizer, row, ends):
    row = {**row, "messages": [dict(each) for each in row["messages"]]}
    learned = [number for number, each in enumerate(row["messages"]) if each["role"] == "assistant" and each["learned"]]
    if not learned:
        raise RowError("no assistant message that counts")
    everything = DATA_SETTINGS["loss_on"] == "all"
    if not everything:
        row["messages"] = row["messages"][: learned[-1] + 1]
    for each in row["messages"]:
        if each["role"] == "assistant":
            each["content"] = each["content"].removesuffix(tokenizer.eos_token)
            if not each["content"].strip() and "tool_calls" not in each["more"]:
                raise RowError("an empty answer")
    text, places, opening = rendered(tokenizer, row)
    tokens = encode(tokenizer, text, places)
    ids = [token for token, _ in tokens]
    labels = list(ids) if everything else [-100] * len(ids)
    ended = True
    for number, each in enumerate(row["messages"]):
        ended = True
        if each["role"] != "assistant":
            continue
        previous = places[number - 1][1] if number else 0
        content, said = places[number]
        following = places[number + 1][0] if number + 1 < len(places) else len(text)
        at = text.rfind(opening, previous, content) if opening else -1
        begin = first_from(tokens, content if at < 0 else at + len(opening))
        stops = [
            place
            for place, (token, span) in enumerate(tokens)
            if said <= span[0] < following and token in ends
        ]
        ended = bool(stops)
        if not each["learned"]:
            continue
        tail, turn = text[places[-1][1] :], said
        for one, other in zip(text[said:following], tail):
            if one != other:
                break
            turn += 1
        stop = stops[0] + 1 if stops else sum(span[0] < turn for _, span in tokens)
        labels[begin:stop] = ids[begin:stop]
    if not ended:
        ids, labels = ids + [tokenizer.eos_token_id], labels + [tokenizer.eos_token_id]
    return ids, labels


def ends_of(base, tokenizer):
    """The tokens at which the base stops to write. Where the tokenizer names none, the first of the others is its end."""
    found = [] if tokenizer.eos_token is None else [tokenizer.eos_token_id]
    for config in (GenerationConfig, AutoConfig):
        try:
            more = config.from_pretrained(base).eos_token_id
        except OSError:
            continue
        found += more if isinstance(more, list) else [] if more is None else [more]
    if not found:
        raise SystemExit(f"{base} names no token that ends a text; name one as eos_token in its tokenizer_config.json.")
    if tokenizer.eos_token is None:
        tokenizer.eos_token = tokenizer.convert_ids_to_tokens(found[0])
    return set(found)


def windows_of(documents, length, begin, tokenizer):
    """Windows of one document each, with an end between two documents."""
    for number, document in enumerate(documents):
        if number + 1 < len(documents):
            if len(document) % length == 0:
                # In a full window there is no room for the end, and alone it could not be predicted.
                last = len(document) - 1
                cuts = [document[first : min(first + length, last)] for first in range(0, last, length)]
                yield from cuts + [[document[last], tokenizer.eos_token_id]]
                continue
            document = document + [tokenizer.eos_token_id]
        yield from (document[first : first + length] for first in range(0, len(document), length))


def files_of(path):
    """The files with the data; those that are not here are downloaded, where it is known from where."""
    addresses = ADDRESSES.get(str(path), [])
    if path.exists() or not addresses:
        return [path]
    files = [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(len(addresses))]
    for address, file in zip(addresses, files):
        if not file.exists():
            print(f"Downloading {address}")
            part = file.with_suffix(".part")
            urllib.request.urlretrieve(address, part)
            part.rename(file)
    return files


def examples(path, tokenizer, ends):
    """Ids and labels of every example of a file."""
    length = DATA_SETTINGS["sequence_length"]
    if isinstance(tokenizer.chat_template, str):
        # The byte order mark of a file is none of its text.
        tokenizer.chat_template = tokenizer.chat_template.removeprefix("\ufeff")
    begin = tokenizer("a")["input_ids"][:1] if tokenizer.bos_token_id is not None else []
    begin = begin if begin == [tokenizer.bos_token_id] else []
    found, documents, left_out = [], [], []
    rows = (row for file in files_of(path) for row in read_rows(file.name, file.read_bytes(), DATA_SETTINGS))
    for line, row in rows:
        try:
            if isinstance(row, RowError):
                raise row
            if "text" in row:
                text = row["text"].removeprefix(tokenizer.bos_token) if begin else row["text"]
                text = text.removesuffix(tokenizer.eos_token)
                documents.append(begin + [token for token, _ in encode(tokenizer, text, [(0, len(text))])])
            else:
                check_size(row)
                is_chat = "messages" in row
                found.append(chat_example(tokenizer, row, ends) if is_chat else pair_example(tokenizer, row, begin, ends))
        except RowError as error:
            left_out.append((line, error))
    for line, error in left_out[:3]:
        print(f"{path.name}, line {line}: left out, it has {error}")
    if len(left_out) > 3:
        print(f"{path.name}: {len(left_out)} rows are left out in all")
    windows = windows_of(documents, length, begin, tokenizer)
    found += [(window, list(window)) for window in windows if len(window) > 1]
    found = found[: DATA_SETTINGS["maximum_examples"]]
    found = [(ids[:length], labels[:length]) for ids, labels in found]
    return [(ids, labels) for ids, labels in found if any(label != -100 for label in labels[1:])]


def held_out_of(count):
    """How many of so many examples are held out."""
    validation = DATA_SETTINGS["validation"]
    if validation == "none":
        return 0
    if "count" in validation:
        return validation["count"]
    most = validation.get("at_most", {"share": validation.get("share"), "count": count})
    if most["share"] == 0:
        return 0
    # Half rounds up, as on the page.
    held_out = min(max(int(count * most["share"] + 0.5), 1), most["count"])
    return min(held_out, count - 1) if "at_most" in validation else held_out


def divided(path, validation, tokenizer, ends):
    """Examples to train on, and those that are held out."""
    found = examples(path, tokenizer, ends)
    if validation is not None:
        return found, examples(validation, tokenizer, ends)
    random.Random(DATA_SETTINGS["seed"]).shuffle(found)
    held_out = held_out_of(len(found))
    if len(found) <= held_out:
        raise SystemExit(f"{path} has {len(found)} examples, of which {held_out} are held out: nothing is left to train on.")
    return found[held_out:], found[:held_out]


def batch_of(rows, pad):
    """Padded on the right, where no counted token sees it."""
    width = max(len(ids) for ids, _ in rows)
    ids = [ids + [pad] * (width - len(ids)) for ids, _ in rows]
    labels = [labels + [-100] * (width - len(labels)) for _, labels in rows]
    return {"ids": ids, "labels": labels}


def file_batches(path, validation, tokenizer, ends):
    training, held_out = divided(path, validation, tokenizer, ends)
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
    parser.add_argument("--validation", type=pathlib.Path, default=VALIDATION and pathlib.Path(VALIDATION), help="what is only measured on, in place of a part of DATA")
    parser.add_argument("--base", default=BASE, help="id on the Hugging Face hub, or a folder")
    parser.add_argument("--adapter", help="PEFT folder that all runs start from, in place of fresh adapters")
    parser.add_argument("--batches", type=pathlib.Path, help="JSON with a list of {ids, labels}, one a step, in place of DATA")
    parser.add_argument("--result", type=pathlib.Path, help="where to write all losses as JSON")
    arguments = parser.parse_args()
    if arguments.batches:
        batches, held_out = json.loads(arguments.batches.read_text())[:STEPS], []
    else:
        # As tokenizer.json says; AutoTokenizer builds Llama's anew, with other spaces.
        tokenizer = PreTrainedTokenizerFast.from_pretrained(arguments.base)
        batches, held_out = file_batches(arguments.data, arguments.validation, tokenizer, ends_of(arguments.base, tokenizer))
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
