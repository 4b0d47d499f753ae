"""Trains a sweep's script on Ray, kills it in the middle, lets it go on, and compares with the native program.

    ray_sweep.py SCRIPTS GOLDEN PROGRAM RESULT

SCRIPTS   sweep.py, a plan of six trials, and sweep.json, what the native program is told of them
GOLDEN    tests/fixtures/golden
PROGRAM   the native program
RESULT    where to write the figures as JSON
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from chats import write_base, write_chats
from native import native_losses

TRIALS = 6
TOLERANCE = 1e-5


def started(script, options, **more):
    return subprocess.Popen(
        [sys.executable, str(script), *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


def ended(what, process, status):
    output, errors = process.communicate(timeout=900)
    if process.returncode != status:
        sys.exit(f"FAILED: {what} ended with {process.returncode} in place of {status}:\n{output[-2000:]}\n{errors[-4000:]}")
    return output, errors


def expect(what, text, *words):
    for word in words:
        if word not in text:
            sys.exit(f"FAILED: {what} does not say {word!r}:\n{text}")
    print(f"{what}: {text.strip().splitlines()[-1][:200]}")


def results_of(path):
    return json.loads(path.read_text())


def killed_in_the_middle(script, options, result):
    """Ends the script by a signal that no program hears, once two trials have finished; what it has kept by then."""
    process = started(script, options, start_new_session=True)
    for line in process.stdout:
        if line.startswith("2 of 6"):
            break
    else:
        sys.exit(f"FAILED: it ended before two trials had finished:\n{process.stderr.read()[-4000:]}")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    kept = results_of(result)["sweep"]["results"]
    if not 2 <= len(kept) < TRIALS:
        sys.exit(f"FAILED: {len(kept)} trials had finished when it was killed")
    return kept


def largest_difference(found, theirs):
    """Between losses of a file of results and those of the native program, of training and of validation."""
    differences = []
    for record in found["runs"]:
        name = record["name"]
        ours = {(name, "training", step): loss for step, loss in zip(record["curve"]["steps"], record["curve"]["values"])}
        ours |= {(name, "validation", one["step"]): one["loss"] for one in record["validation"] if one["step"] > 0}
        wanted = {key: loss for key, loss in theirs.items() if key[0] == name}
        if ours.keys() != wanted.keys():
            sys.exit(f"FAILED: {name}: other losses than the native program's: {sorted(ours.keys() ^ wanted.keys())}")
        differences += [abs(ours[key] - wanted[key]) for key in ours]
    return max(differences)


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    scripts, golden, program, result = map(pathlib.Path, sys.argv[1:])
    script = scripts / "sweep.py"
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        base, chats, kept = folder / "base", folder / "chats.jsonl", folder / "results.json"
        write_base(golden, base)
        write_chats(chats)
        options = [chats, "--base", base, "--result", kept]

        before = killed_in_the_middle(script, options, kept)
        output, _ = ended("the sweep that goes on", started(script, options), 0)
        after = results_of(kept)
        expect("the sweep that goes on", output, f"{TRIALS} trials, of which {len(before)} have finished before")
        if after["sweep"]["results"][: len(before)] != before or len(after["sweep"]["results"]) != TRIALS:
            sys.exit("FAILED: what had finished was trained again, or is gone")
        if len(after["runs"]) != TRIALS or output.count("validation loss") != TRIALS - len(before):
            sys.exit(f"FAILED: {output}")

        theirs = native_losses(program, base, chats, scripts / "sweep.json", 6, folder)
        difference = largest_difference(after, theirs)
        if not difference <= TOLERANCE:
            sys.exit(f"FAILED: {difference:.1e} from the native program, and {TOLERANCE:.0e} is allowed")
        print(f"losses of {TRIALS} trials: {difference:.1e} from the native program")

        # Where there is no Ray, and where a cluster is not there.
        (folder / "without").mkdir()
        (folder / "without" / "ray.py").write_text("raise ImportError('no Ray here')\n")
        alone = folder / "alone.json"
        environment = os.environ | {"PYTHONPATH": str(folder / "without")}
        output, _ = ended("without Ray", started(script, [*options[:-1], alone], env=environment), 0)
        expect("without Ray", output, "Ray is not installed: one trial after the other")
        curves = lambda file: {run["name"]: run["curve"] for run in results_of(file)["runs"]}
        if curves(alone) != curves(kept):
            sys.exit("FAILED: other losses without Ray")
        nowhere = [*options[:-1], folder / "nowhere.json", "--address", "127.0.0.1:1"]
        _, errors = ended("a cluster that is not there", started(script, nowhere), 1)
        expect("a cluster that is not there", errors, "No Ray cluster answers at 127.0.0.1:1", "ray start --head")
        _, errors = ended("too many GPUs", started(script, [*options[:-1], folder / "gpus.json", "--gpus", "99"]), 1)
        expect("too many GPUs", errors, "99 GPUs", "lower --cpus or --gpus")

        # A trial that dies takes no other with it.
        first = '"optimizer": lambda model: '
        deadly = folder / "deadly.py"
        deadly.write_text(script.read_text().replace(first, f"{first}os.abort() or ", 1))
        output, errors = ended("a trial that dies", started(deadly, [*options[:-1], folder / "deadly.json"]), 1)
        expect("a trial that dies", output, "has died", "The others go on")
        expect("a trial that dies", errors, f"1 of {TRIALS} trials have died", "The same command tries them again")
        if len(results_of(folder / "deadly.json")["runs"]) != TRIALS - 1:
            sys.exit("FAILED: a trial that died took others with it")
    figures = {"ray_trials_resumed": len(before), "ray_native_difference": difference}
    result.write_text(json.dumps({"figures": figures}))


if __name__ == "__main__":
    main()
