"""Renders chat templates as transformers does, and compares what riemann-lora renders; scripts/check-templates calls it.

    reference.py chats TEMPLATES CASES      writes what both programs render: every template of a folder over every chat
    reference.py compare CASES RENDERED     counts the templates of which every text is the same, or refused by both

A template is right if of each chat both write the same text, both refuse it, or riemann-lora refuses it with a reason.
"""

import collections
import datetime
import json
import pathlib
import sys

from transformers.utils import chat_template_utils
from transformers.utils.chat_template_utils import render_jinja_template


class Clock:
    """The day that riemann-lora writes for every day (src/load/tokenizer/template_date.rs)."""

    @staticmethod
    def now():
        return datetime.datetime(2024, 7, 26)


chat_template_utils.datetime = Clock

QUESTION = {"role": "user", "content": "What is  2 < 3 & \"so\"?\n"}
ANSWER = {"role": "assistant", "content": "True.\n\n  It's 1 step: 数 🍣"}
SYSTEM = {"role": "system", "content": " Be brief. "}
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds <two> numbers; it's exact.",
        "parameters": {
            "type": "object",
            "properties": {
                "a": {"type": "number", "description": "one"},
                "b": {"type": "number", "description": "other", "enum": [1, 2.5]},
            },
            "required": ["a", "b"],
        },
        "return": {"type": "number", "description": "the sum"},
    },
}
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"type": "function", "id": "call00001", "function": {"name": "add", "arguments": {"a": 2, "b": 2.5}}}],
}
RESULT = {"role": "tool", "name": "add", "tool_call_id": "call00001", "content": "{\"sum\": 4.5}"}
CHATS = {
    "one turn": ([QUESTION, ANSWER], None),
    "a system message": ([SYSTEM, QUESTION, ANSWER], None),
    "two turns": ([SYSTEM, QUESTION, ANSWER, {"role": "user", "content": "And?"}, {"role": "assistant", "content": "No"}], None),
    "a thought": ([QUESTION, {"role": "assistant", "content": "<think>\nHm.\n</think>\n\nYes"}, QUESTION, ANSWER], None),
    "an own thought": ([QUESTION, {**ANSWER, "reasoning_content": "I think"}], None),
    "a call": ([QUESTION, CALL, RESULT, ANSWER], [ADD]),
    "functions": ([SYSTEM, QUESTION, ANSWER], [ADD]),
    "an answer first": ([ANSWER, QUESTION, ANSWER], None),
    "two questions": ([QUESTION, QUESTION, ANSWER], None),
}
TOKENS = {"bos_token": "<BOS>", "eos_token": "<EOS>"}


def rendered(case):
    try:
        texts, _ = render_jinja_template(
            [case["messages"]],
            tools=case["tools"],
            chat_template=case["template"],
            add_generation_prompt=case["add_generation_prompt"],
            **TOKENS,
        )
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"text": texts[0]}


def chats(templates, cases):
    found = []
    for path in sorted(pathlib.Path(templates).rglob("*.jinja")):
        for name, (messages, tools) in CHATS.items():
            for opening in (False, True):
                case = {"name": path.stem, "chat": name, "template": path.read_text(), "tools": tools}
                case |= {"messages": messages[:-1] if opening else messages, "add_generation_prompt": opening}
                found.append(case | {"expected": rendered(case)})
    pathlib.Path(cases).write_text(json.dumps(found))


def compare(cases, results):
    counts, refused = collections.defaultdict(collections.Counter), {}
    for case, result in zip(json.loads(pathlib.Path(cases).read_text()), json.loads(pathlib.Path(results).read_text()), strict=True):
        expected, name = case["expected"], case["name"]
        if result == expected or ("error" in result and "error" in expected):
            counts[name]["same"] += 1
        elif "error" in result:
            counts[name]["refused"] += 1
            refused.setdefault(name, (case["chat"], result["error"]))
        else:
            counts[name]["other"] += 1
            print(f"{name}, {case['chat']}:\n  expected {expected}\n  rendered {result}")
    for name, (chat, error) in refused.items():
        print(f"{name} is refused, {chat}: {error}")
    same = sum(count["other"] == 0 and count["refused"] == 0 for count in counts.values())
    right = sum(count["other"] == 0 for count in counts.values())
    print(json.dumps({"templates": len(counts), "same": same, "refused": right - same, "other": len(counts) - right}))
    if right < len(counts):
        sys.exit(1)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("chats", "compare"):
        sys.exit(__doc__)
    {"chats": chats, "compare": compare}[sys.argv[1]](*sys.argv[2:])
