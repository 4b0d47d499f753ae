"""Trains with an exported script on one process and on two, and says by how much their losses differ.

    processes.py SCRIPTS GOLDEN PROGRAM RESULT

SCRIPTS   llama.py, and chats.py with chats.json, what the native program is told of the same training
GOLDEN    tests/fixtures/golden
PROGRAM   the native program
RESULT    where to write the largest differences as JSON
"""

import json
import pathlib
import subprocess
import sys
import tempfile

from chats import write_base, write_chats
from native import native_losses

# What f32 makes of sums in another order, over ten steps.
TOLERANCE = 1e-5
BESIDE_PYTHON = pathlib.Path(sys.executable).parent
STARTS = {
    "one process": [sys.executable],
    "torchrun": [BESIDE_PYTHON / "torchrun", "--nproc_per_node", "2"],
    "accelerate launch": [BESIDE_PYTHON / "accelerate", "launch", "--cpu", "--num_processes", "2"],
}


def run(command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"FAILED: {' '.join(map(str, command))}\n{done.stderr[-4000:]}")


def trained(start, script, options, result):
    run([*STARTS[start], script, *options, "--result", result])
    return json.loads(result.read_text())


def uneven(batches):
    """The golden batches, but one with a row that does not count, one of a single row and one of three: with two
    processes one has no label that counts, one has no row, and one has twice as many."""
    batches = [{key: [list(row) for row in batch[key]] for key in ("ids", "labels")} for batch in batches]
    batches[2]["labels"][1] = [-100] * len(batches[2]["labels"][1])
    batches[3] = {key: rows[:1] for key, rows in batches[3].items()}
    batches[4] = {key: rows + rows[:1] for key, rows in batches[4].items()}
    # Few tokens that count beside many: a mean of the two means would be another loss.
    batches[5]["labels"][0] = [-100] * (len(batches[5]["labels"][0]) - 2) + batches[5]["labels"][0][-2:]
    return batches


def values_of(results):
    """Every loss of every run, by what it is of."""
    found = {}
    for one in results:
        if one["diverged_at"] is not None:
            sys.exit(f"FAILED: {one['name']} has diverged")
        found |= {(one["name"], "training", step): loss for step, loss in enumerate(one["losses"], 1)}
        found |= {(one["name"], "validation", int(step)): loss for step, loss in one["validation"].items()}
    return found


def difference(what, values, others):
    if values.keys() != others.keys() or not values:
        sys.exit(f"FAILED: {what}: other losses than those of one process: {sorted(values.keys() ^ others.keys())}")
    largest = max(abs(values[key] - others[key]) for key in values)
    if not largest <= TOLERANCE:
        sys.exit(f"FAILED: {what}: {largest:.1e}, and {TOLERANCE:.0e} is allowed")
    print(f"{what}: {largest:.1e} of {len(values)} losses")
    return largest


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    scripts, golden, program, result = map(pathlib.Path, sys.argv[1:])
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        batches, output = folder / "batches.json", folder / "result.json"
        batches.write_text(json.dumps(uneven(json.loads((golden / "llama" / "golden.json").read_text())["batches"])))
        model = golden / "llama"
        options = ["--base", model / "model", "--adapter", model / "adapter_init", "--batches", batches]
        one = values_of(trained("one process", scripts / "llama.py", options, output))
        differences = [
            difference(f"uneven batches, {start}", values_of(trained(start, scripts / "llama.py", options, output)), one)
            for start in ("torchrun", "accelerate launch")
        ]
        base, chats = folder / "base", folder / "chats.jsonl"
        write_base(golden, base)
        write_chats(chats)
        options = [chats, "--base", base]
        one = values_of(trained("one process", scripts / "chats.py", options, output))
        two = values_of(trained("torchrun", scripts / "chats.py", options, output))
        differences.append(difference("chats, torchrun", two, one))
        theirs = native_losses(program, base, chats, scripts / "chats.json", 5, folder)
        # It measures first after some steps.
        ours = {key: loss for key, loss in one.items() if key[1:] != ("validation", 0)}
        program_difference = difference("chats, native program", theirs, ours)
    found = {"script_two_process_difference": max(differences), "script_native_difference": program_difference}
    result.write_text(json.dumps({"figures": found}))


if __name__ == "__main__":
    main()
