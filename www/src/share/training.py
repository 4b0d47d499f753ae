import csv
import datetime
import decimal
import io
import json
import math
import os
import pathlib
import urllib.request

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, set_seed
from peft import LoraConfig, PeftModel, get_peft_model
from peft.optimizers import create_loraplus_optimizer, create_riemannian_optimizer
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

# SETTINGS

# OPTIMIZERS

class Clock:
    """The day that chat templates write; on the page it is the same on every day, so that a row stays the same text."""

    @staticmethod
    def now():
        return datetime.datetime(2024, 7, 26)


chat_template_utils.datetime = Clock

# READING

# DRAWS

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


def opening_of(messages):
    """What is said before the first answer that is learned."""
    said = ""
    for each in messages:
        if each["role"] == "assistant" and each["learned"]:
            break
        said += f"{each['role']}\n{each['content']}\n"
    return said


def prompt_of(row):
    """What a row shares with others of the same prompt: they are held out together."""
    if "messages" in row:
        return opening_of(row["messages"])
    if row["system"] is None:
        return row["prompt"]
    if DATA_SETTINGS["prompt_style"] == "chat":
        said = [("system", row["system"]), ("user", row["prompt"])]
        return opening_of([{"role": role, "content": content} for role, content in said])
    return f"{row['system']}\n{row['prompt']}"


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


def examples(path, tokenizer, ends, prompts=None):
    """Ids and labels of every example of a file; their prompts go into a list, None for what is no answer to one."""
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
                example = chat_example(tokenizer, row, ends) if "messages" in row else pair_example(tokenizer, row, begin, ends)
                found.append((*example, prompt_of(row)))
        except RowError as error:
            left_out.append((line, error))
    for line, error in left_out[:3]:
        print(f"{path.name}, line {line}: left out, it has {error}")
    if len(left_out) > 3:
        print(f"{path.name}: {len(left_out)} rows are left out in all")
    windows = windows_of(documents, length, begin, tokenizer)
    found += [(window, list(window), None) for window in windows if len(window) > 1]
    found = found[: DATA_SETTINGS["maximum_examples"]]
    found = [(ids[:length], labels[:length], prompt) for ids, labels, prompt in found]
    found = [each for each in found if any(label != -100 for label in each[1][1:])]
    if prompts is not None:
        prompts += [prompt for _, _, prompt in found]
    return [(ids, labels) for ids, labels, _ in found]


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
    prompts = []
    found = examples(path, tokenizer, ends, prompts)
    if validation is not None:
        return found, examples(validation, tokenizer, ends)
    held_out = held_out_of(len(found))
    if len(found) <= held_out:
        raise SystemExit(f"{path} has {len(found)} examples, of which {held_out} are held out: nothing is left to train on.")
    return tuple([found[place] for place in places] for places in split_by_prompt(prompts, held_out, DATA_SETTINGS["seed"]))


def batch_of(rows, pad):
    """Padded on the right, where no counted token sees it."""
    width = max(len(ids) for ids, _ in rows)
    ids = [ids + [pad] * (width - len(ids)) for ids, _ in rows]
    labels = [labels + [-100] * (width - len(labels)) for _, labels in rows]
    return {"ids": ids, "labels": labels}


def file_batches(arguments):
    """A batch for each step, and those that are held out."""
    # As tokenizer.json says; AutoTokenizer builds Llama's anew, with other spaces.
    tokenizer = PreTrainedTokenizerFast.from_pretrained(arguments.base)
    training, held_out = divided(arguments.data, arguments.validation, tokenizer, ends_of(arguments.base, tokenizer))
    pad = tokenizer.eos_token_id or 0
    drawn, epoch = [], 0
    while len(drawn) < STEPS * BATCH_SIZE:
        drawn += [training[place] for place in shuffled(len(training), DATA_SETTINGS["seed"], epoch)]
        epoch += 1
    batches = [batch_of(drawn[step * BATCH_SIZE : (step + 1) * BATCH_SIZE], pad) for step in range(STEPS)]
    starts = range(0, len(held_out), BATCH_SIZE)
    return batches, [batch_of(held_out[start : start + BATCH_SIZE], pad) for start in starts]


def counted_of(batch):
    """How many labels of a batch count."""
    return sum(label != -100 for labels in batch["labels"] for label in labels[1:])


def share_of(batch, process, processes):
    """The rows of one process. One without rows gets a row that does not count, because all have to take part in a step."""
    own = {key: rows[process::processes] for key, rows in batch.items()}
    if own["ids"]:
        return own
    return {"ids": batch["ids"][:1], "labels": [[-100] * len(batch["labels"][0])]}


def summed_loss(model, batch, device):
    """The cross entropies of all labels that count, added up: means of means would weigh processes, not tokens."""
    ids, labels = (torch.tensor(batch[key], device=device) for key in ("ids", "labels"))
    logits = model(input_ids=ids).logits[:, :-1].float()
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100, reduction="sum")


@torch.no_grad()
def validation_loss(model, batches, accelerator):
    # Without the wrapper that waits for other processes: they may have more batches or fewer.
    model = accelerator.unwrap_model(model)
    model.eval()
    own = batches[accelerator.process_index :: accelerator.num_processes]
    total = sum(float(summed_loss(model, batch, accelerator.device)) for batch in own)
    model.train()
    if accelerator.num_processes > 1:
        total = float(accelerator.reduce(torch.tensor(total, dtype=torch.double, device=accelerator.device), "sum"))
    return total / sum(map(counted_of, batches))


def draw_first_factors(model, seed):
    """The first lora_A of the page; lora_B begins at 0 in PEFT too."""
    for name, module in model.named_modules():
        for layer, (first, step) in STREAMS.items():
            if hasattr(module, "lora_A") and name.endswith(f".{layer}"):
                block = next(int(part) for part in name.split(".") if part.isdigit())
                weight = module.lora_A["default"].weight
                weight.data.copy_(first_lora_a(*weight.shape, seed, first + step * block))


def train(run, arguments, batches, held_out, accelerator, say):
    """Trains one run to its end and tells `say` how it goes. What a run has of its own takes the place of what all share."""
    seed = run.get("seed", SEED)
    set_seed(seed)  # The same dropout in every run.
    base = AutoModelForCausalLM.from_pretrained(arguments.base, **BASE_SETTINGS).float()
    if arguments.adapter:
        model = PeftModel.from_pretrained(base, arguments.adapter, is_trainable=True)
    else:
        model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", **LORA | run.get("lora", {})))
        draw_first_factors(model, seed)
    optimizer = run["optimizer"](model)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: factor(run, step))
    model, optimizer = accelerator.prepare(model, optimizer)
    process, processes = accelerator.process_index, accelerator.num_processes
    losses, validation, diverged_at = [], {}, None

    def measure(step):
        validation[step] = validation_loss(model, held_out, accelerator)
        say(f"{run['name']}  step {step}  validation loss {validation[step]:.4f}")

    if held_out and VALIDATE_EVERY:
        measure(0)
    model.train()
    for step, batch in enumerate(batches, 1):
        loss = summed_loss(model, share_of(batch, process, processes), accelerator.device)
        counted = counted_of(batch)
        # The mean over processes, which they make of their gradients, is then the mean over the counted tokens of all.
        accelerator.backward(loss * (processes / counted))
        if run["max_grad_norm"] is not None:
            accelerator.clip_grad_norm_(trained(model), run["max_grad_norm"])
        # It preconditions first: what all processes have together, and clipped.
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        mean = float(accelerator.reduce(loss.detach(), "sum")) / counted
        if not (math.isfinite(mean) and all(bool(weights.isfinite().all()) for weights in trained(model))):
            diverged_at = step
            say(f"{run['name']}  step {step}  has diverged; a smaller lr would not")
            break
        losses.append(mean)
        say(f"{run['name']}  step {step}  loss {mean:.4f}")
        if held_out and VALIDATE_EVERY and (step % VALIDATE_EVERY == 0 or step == len(batches)):
            measure(step)
    accelerator.free_memory()
    return {"name": run["name"], "losses": losses, "validation": validation, "diverged_at": diverged_at}


def ready_accelerator():
    """Of all processes that were started, on GPUs where there are some."""
    asked = int(os.environ.get("WORLD_SIZE", 1))
    kind = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    # Without being told, Accelerate takes processes without a GPU of their own for single ones, and each trains alone.
    accelerator = Accelerator(cpu=kind is None or (asked > 1 and kind.type == "mps"))
    if accelerator.num_processes != asked and "WORLD_SIZE" in os.environ:
        raise SystemExit(f"{asked} processes were started, and Accelerate joins {accelerator.num_processes} of them: set ACCELERATE_USE_CPU=true to train on CPUs.")
    if accelerator.distributed_type in (DistributedType.FSDP, DistributedType.DEEPSPEED, DistributedType.MEGATRON_LM):
        raise SystemExit(f"{accelerator.distributed_type} cuts factors into pieces, and preconditioning needs them whole: choose plain data parallelism in accelerate config.")
    if accelerator.gradient_accumulation_steps != 1:
        raise SystemExit("Accelerate is configured to accumulate gradients, and a batch here is the whole batch: set gradient_accumulation_steps to 1 and lower BATCH_SIZE, or add processes.")
    return accelerator


def add_shared_arguments(parser):
    parser.add_argument("data", nargs="?", type=pathlib.Path, default=pathlib.Path(DATA or "data.txt"))
    parser.add_argument("--validation", type=pathlib.Path, default=VALIDATION and pathlib.Path(VALIDATION), help="what is only measured on, in place of a part of DATA")
    parser.add_argument("--base", default=BASE, help="id on the Hugging Face hub, or a folder")
    parser.add_argument("--adapter", help="PEFT folder that all runs start from, in place of fresh adapters")
