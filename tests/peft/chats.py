"""A tiny base with a chat template, and conversations for it, made of the golden Llama."""

import json
import shutil

TEMPLATE = (
    "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '<|endoftext|>' }}{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def write_base(golden, to):
    """The golden Llama with its tokenizer, as a folder that transformers and the native program load."""
    to.mkdir()
    for path in [*(golden / "llama" / "model").iterdir(), golden / "tokenizer.json"]:
        shutil.copy(path, to)
    settings = {"eos_token": "<|endoftext|>", "tokenizer_class": "PreTrainedTokenizerFast", "chat_template": TEMPLATE}
    (to / "tokenizer_config.json").write_text(json.dumps(settings))


def conversations():
    """Of very different lengths; every fifth opens with an answer, and every third answers the prompt of the one before."""
    for number in range(16):
        said = f"Count from {number - number % 3 % 2}" + " and on" * (number % 4)
        opening = [{"role": "assistant", "content": "Yes?"}] if number % 5 == 0 else []
        answer = " ".join(str(number + place) for place in range(1 + 2 * (number % 6)))
        turns = [{"role": "user", "content": said}, {"role": "assistant", "content": answer}]
        more = [{"role": "user", "content": "More"}, {"role": "assistant", "content": "No."}] if number % 4 == 0 else []
        yield {"messages": opening + turns + more}


def write_chats(to):
    to.write_text("".join(json.dumps(row) + "\n" for row in conversations()))
