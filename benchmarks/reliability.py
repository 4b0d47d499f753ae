#!/usr/bin/env python3
"""Adds what was found to benchmarks/results/reliability.json, and sums it up there.

    benchmarks/reliability.py next-seed                  a seed that no run of scripts/fuzz has had
    benchmarks/reliability.py fuzz SEED FOLDER           what scripts/fuzz found, a file each of targets
    benchmarks/reliability.py kills WHERE SEED FILE      what scripts/bench-kills found, natively or in the page
"""

import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "reliability.json"
FAULTS = ("panics", "aborts", "hangs", "memory_excess", "unreadable_refusals")
# The tests' own.
FIRST_SEED = 1


def git(*words):
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def origin(command):
    cpu = pathlib.Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "tests/fuzz", "www/src", "www/unit", "Cargo.lock")
    return {
        "command": command,
        "commit": git("rev-parse", "HEAD") + ("-dirty" if changed else ""),
        "machine": f"{model}, {os.cpu_count()} cores",
        "when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def read():
    return json.loads(RESULT.read_text()) if RESULT.exists() else {"runs": [], "kills": []}


def targets_of(folder):
    """Counts by target: one file has those of the native program, each other is of a target of the page."""
    targets = {}
    for file in sorted(pathlib.Path(folder).glob("*.json")):
        found = json.loads(file.read_text())
        targets |= found if file.stem == "native" else {f"page: {file.stem.replace('-', ' ')}": found}
    return targets


def summed(runs):
    targets = {}
    for run in runs:
        for name, counts in run["targets"].items():
            sums = targets.setdefault(name, {"cases": 0, "accepted": 0} | dict.fromkeys(FAULTS, 0))
            for key in sums:
                sums[key] += counts.get(key, 0)
    return dict(sorted(targets.items()))


def write(result):
    targets = summed(result["runs"])
    total = lambda key: sum(counts[key] for counts in targets.values())
    kills = {
        key: sum(found[key] for one in result["kills"] for found in one["kinds"].values())
        for key in ("kills", "curves", "curves_equal", "trainings_lost")
    }
    latest = max([*result["runs"], *result["kills"]], key=lambda one: one["when"])
    result = {
        **{key: latest[key] for key in ("command", "commit", "machine", "when")},
        "figures": {"fuzz_cases": total("cases")} | {key: total(key) for key in FAULTS} | kills,
        "targets": targets,
        "runs": result["runs"],
        "kills": result["kills"],
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result["figures"], indent=2))


def main():
    result = read()
    match sys.argv[1:]:
        case ["next-seed"]:
            print(max([FIRST_SEED, *(run["seed"] for run in result["runs"])]) + 1)
        case ["fuzz", seed, folder]:
            seed, targets = int(seed), targets_of(folder)
            before = next((run["targets"] for run in result["runs"] if run["seed"] == seed), {})
            result["runs"] = [run for run in result["runs"] if run["seed"] != seed]
            run = origin("scripts/fuzz") | {"seed": seed, "targets": before | targets}
            result["runs"] = sorted([*result["runs"], run], key=lambda run: run["seed"])
            write(result)
        case ["kills", where, seed, file]:
            kinds = json.loads(pathlib.Path(file).read_text())["kinds"]
            run = origin(f"scripts/bench-kills {where}") | {"where": where, "seed": int(seed), "kinds": kinds}
            result["kills"] = [*(one for one in result["kills"] if one["where"] != where), run]
            write(result)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
