"""Counts the rows of tests/fixtures/cases of which an exported script makes the ids and labels that the page makes.

    rows.py SCRIPT CASES [RESULT]

SCRIPT   any script that the page exports; its settings of data are replaced by those of the cases
CASES    tests/fixtures/cases, whose expected ids and labels the crate's tests hold the page to
RESULT   where to write the counts as JSON
"""

import contextlib
import io
import json
import pathlib
import shutil
import sys
import tempfile

from transformers import PreTrainedTokenizerFast

# Folders beside _base, their files of data, and where the right value stands.
DATA = [
    ("00-exported-script", "semicolon.csv", ["semicolon.csv"]),
    ("00-exported-script", "upper.jsonl", ["upper.jsonl"]),
    ("00-exported-script", "header-space.csv", ["header-space.csv"]),
    ("00-exported-script", "line-separator.jsonl", ["line-separator.jsonl"]),
    ("00-exported-script", "number.jsonl", ["number.jsonl"]),
    ("03-bos", "literal.txt", ["literal.txt"]),
    ("03-bos", "literal.jsonl", ["literal.jsonl"]),
    ("03-bos/no-bos", "chat.jsonl", ["no-bos/chat.jsonl"]),
    ("05-rows-without-answer", "rows.jsonl", ["examples"]),
    ("07-alternation", "rows.jsonl", ["rows.jsonl", "examples"]),
    ("07-alternation/default-system", "leading.jsonl", ["default-system/leading.jsonl"]),
    ("09-empty-answers", "answers.jsonl", ["answers.jsonl"]),
    ("25-tokenizer/added-decoder", "../pair.jsonl", ["added-decoder", "pair.jsonl"]),
    ("25-tokenizer/special-map", "../pair.jsonl", ["special-map", "pair.jsonl"]),
    ("25-tokenizer/prefix-space", "rows.jsonl", ["prefix-space"]),
]
SETTINGS = {
    "format": None,
    "encoding": None,
    "columns": None,
    "documents": "file",
    "prompt_style": "plain",
    "separator": "\n",
    "loss_on": "completion",
    "sequence_length": 256,
    "validation": "none",
    "maximum_examples": None,
    "seed": 0,
}


def right_values(cases, folder, keys):
    value = json.loads((cases / folder.split("/")[0] / "expected.json").read_text())
    for key in keys:
        value = value[key]
    if "ids" in value:
        return [value]
    if isinstance(value, list):
        return value
    # Of the answers, two lines have the same value.
    return [value["line 1"], value["lines 6 and 7"], value["lines 6 and 7"], value["line 8"]]


def base_with(cases, folder, to):
    for source in (cases / "_base", cases / folder):
        for path in source.iterdir():
            if path.is_file() and path.suffix in (".json", ".safetensors") and path.name != "expected.json":
                shutil.copy(path, to)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    script, cases = map(pathlib.Path, sys.argv[1:3])
    names = {"__name__": "script"}
    exec(compile(script.read_text(), str(script), "exec"), names)
    names["DATA_SETTINGS"] |= SETTINGS
    rows = equal = 0
    for folder, file, keys in DATA:
        expected = right_values(cases, folder, keys)
        with tempfile.TemporaryDirectory() as base, contextlib.redirect_stdout(io.StringIO()):
            base_with(cases, folder, base)
            tokenizer = PreTrainedTokenizerFast.from_pretrained(base)
            found = names["examples"](cases / folder / file, tokenizer, names["ends_of"](base, tokenizer))
        found = [{"ids": ids, "labels": [-100, *labels[1:]]} for ids, labels in found]
        expected = [{"ids": row["ids"], "labels": row["labels"]} for row in expected]
        rows += len(expected)
        for row in expected:
            if row in found:
                found.remove(row)
                equal += 1
            else:
                print(f"{folder}/{file}:\n  expected {row}\n  and not {found}")
        if found:
            print(f"{folder}/{file}: more than is expected: {found}")
            equal = -1
    # Parquet is read as the same rows are that stand in JSON lines beside it.
    kept = cases.parent / "parquet"
    read = lambda file: str(names["read_rows"](file, (kept / file).read_bytes(), names["DATA_SETTINGS"]))
    for packing in ["none", "snappy", "gzip", "zstd"]:
        if read(f"{packing}.parquet") != read("rows.jsonl"):
            print(f"{packing}.parquet: other rows than rows.jsonl")
            equal = -1
    for packed, lines in [("zstd", "rows"), ("kinds", "kinds")]:
        if names["json_of_parquet"]((kept / f"{packed}.parquet").read_bytes()) + "\n" != (kept / f"{lines}.jsonl").read_text():
            print(f"{packed}.parquet: other lines than {lines}.jsonl")
            equal = -1
    text = names["json_of_parquet"]((kept / "other-kinds.parquet").read_bytes())
    if text != '{"text":"a"}\n{"text":"b"}':
        print(f"other-kinds.parquet: {text}")
        equal = -1
    counts = {"script_rows": rows, "script_rows_equal": equal}
    print(json.dumps(counts))
    if len(sys.argv) > 3:
        pathlib.Path(sys.argv[3]).write_text(json.dumps(counts))
    if equal != rows:
        sys.exit(1)


if __name__ == "__main__":
    main()
