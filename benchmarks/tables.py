#!/usr/bin/env python3
"""Writes the tables of benchmarks/README.md and EXPERIMENTS.md from benchmarks/results, between the lines that name them.

    benchmarks/tables.py            writes them anew
    benchmarks/tables.py --check    only says whether they are what the results say
"""

import json
import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
TEXTS = [FOLDER / "README.md", FOLDER.parent / "EXPERIMENTS.md"]
PLACE = re.compile(r"<!-- table (\S+) -->\n.*?<!-- end -->\n", re.DOTALL)


def result(name):
    return json.loads((FOLDER / "results" / f"{name}.json").read_text())


def number(value, digits=3):
    """So many digits that count, without an exponent where that is short."""
    if value is None:
        return ""
    short = f"{value:.{digits}g}"
    return f"{float(short):,g}" if "e" in short and abs(value) >= 1 else short


def megabytes(value):
    return number(value / 1e6)


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def origin(found):
    """Where a result comes from."""
    command = found["command"].split(", its two parts")[0]
    load = f"; load {found['load_average']}" if "load_average" in found else ""
    return f"`{command}`, {found['when'][:10]}, {found['machine']}{load}.\n\n"


def peers(found, engine):
    for one in found["measured"]:
        if one["engine"] == engine:
            yield one, one["median_seconds"], one["over"]


def peers_cpu():
    found = result("peers")
    head = ["work, size", "here, s", "jax-js, s", "TensorFlow.js, s", "÷ jax-js", "÷ TensorFlow.js",
            "two runs at once ÷ two steps of jax-js", "one run on two workers ÷ jax-js with threads"]
    rows = []
    for one, seconds, over in peers(found, "cpu"):
        rows.append([
            f"{one['work']}, {one['size']}",
            *(number(seconds.get(name)) for name in ("riemann-lora", "jax-js", "TensorFlow.js")),
            *(number(over.get(name), 2) for name in
              ("jax-js", "TensorFlow.js", "jax-js, two runs", "jax-js, one run on two workers")),
        ])
    return origin(found) + table(head, rows)


def peers_webgpu():
    found = result("peers")
    head = ["work, size", "here, s", "jax-js, s", "TensorFlow.js, s", "÷ jax-js", "÷ TensorFlow.js"]
    rows = [
        [f"{one['work']}, {one['size']}",
         *(number(seconds.get(name)) for name in ("riemann-lora", "jax-js", "TensorFlow.js")),
         *(number(over.get(name), 2) for name in ("jax-js", "TensorFlow.js"))]
        for one, seconds, over in peers(found, "webgpu")
    ]
    return origin(found) + table(head, rows)


def peers_native():
    found = result("peers")
    rows = [
        [f"{one['work']}, {one['size']}", number(seconds["riemann-lora"]), number(seconds["burn apply_lora"]),
         number(over["burn apply_lora"], 2)]
        for one, seconds, over in peers(found, "native")
    ]
    return origin(found) + table(["work, size", "here, s", "burn's `apply_lora`, s", "÷ burn's"], rows)


def bank():
    found = result("bank")
    rows = [
        [one["engine"], one["runs"], number(one["seconds_bank"]), number(one["over_separate"], 2),
         megabytes(one["bytes_bank"]), number(one["bytes_bank"] / one["bytes_separate"], 2)]
        for one in found["measured"]
    ]
    head = ["engine", "runs", "a step of the bank, s", "÷ as many trainings", "memory, MB", "÷ as many trainings"]
    return origin(found) + table(head, rows)


def memory():
    found = result("memory")
    rows = []
    for one in found["cases"]:
        engine = one.get("engine", "cpu")
        used = one["gpu"] if engine == "webgpu" else one["heap"]
        rows.append([
            f"{one['model']}, {engine}", f"{one['tokens']:,}", "yes" if one["checkpointing"] else "no", megabytes(used),
            megabytes(one["minimum"]), number(used / one["minimum"]), f"{one['estimate_error'] * 100:+.1f} %",
        ])
    head = ["model, engine", "tokens", "gradient checkpointing", "most, MB", "least possible, MB", "most ÷ least",
            "the estimate was off by"]
    return origin(found) + table(head, rows)


def models():
    found = result("models")
    rows = [
        [
            {"qwen3_06b": "Qwen3-0.6B, Q8_0, random", "gemma3_270m": "Gemma 3 270M, Q4_K_M"}[one["model"]], one["engine"],
            megabytes(one["peak"]), megabytes(one["estimate"]), f"{(one['estimate'] / one['peak'] - 1) * 100:+.1f} %",
            number(median(one["seconds"])), " ".join(f"{loss:.3f}" for loss in one["losses"]),
        ]
        for one in found["cases"]
    ]
    titles = ["model", "engine", "most, MB", "estimate, MB", "the estimate was off by", "a step, s", "losses"]
    passed = found["figures"]["families_passed"]
    families = ", ".join(f"{name} {tests}" for name, tests in found["families"].items())
    note = f"\n{found['note']}\n" if "note" in found else ""
    return (origin(found) + table(titles, rows) + note
            + f"\n{passed} families train in the browser, from a folder and from a GGUF file, as transformers, PEFT and torch "
            + f"do: {families}.\n")


def attention():
    found = result("attention")
    peaks = [one for one in found["cases"] if "heap" in one]
    rows = [[f"{one['tokens']:,}", "yes" if one["checkpointing"] else "no", megabytes(one["heap"])] for one in peaks]
    titles = ["tokens", "gradient checkpointing", "most, MB"]
    times = [
        [f"{one['tokens']:,}", *(number(median(one["seconds"][which])) for which in ("now", "before")),
         number(found["figures"][one["name"]], 3)]
        for one in found["cases"] if "heap" not in one
    ]
    return (origin(found) + table(titles, rows) + "\n"
            + table(["tokens", "a step, s", "before, s", "÷ before"], times))


def padding():
    found = result("padding")
    rows = [
        [one["name"], one["batch"], f"{one['share'] * 100:.1f} %", number(one["ratio"], 3), number(1 - one["share"], 3)]
        for one in found["cases"]
    ]
    return origin(found) + table(["text", "rows", "padded", "÷ time before", "1 less the share"], rows)


def median(values):
    return sorted(values)[len(values) // 2]


def head():
    found = result("head")
    rows = [
        [one["size"], number(one["chunked"]["seconds"]), number(one["whole"]["seconds"]),
         number(one["chunked"]["seconds"] / one["whole"]["seconds"], 2), megabytes(one["chunked"]["bytes"]),
         megabytes(one["whole"]["bytes"])]
        for one in found["measured"]
    ]
    titles = ["size", "in chunks, s", "all logits at once, s", "÷", "in chunks, MB", "all at once, MB"]
    return origin(found) + table(titles, rows)


def soak():
    found = result("soak")
    rows = []
    for engine, one in found["engines"].items():
        rows.append([
            engine, f"{one['steps']:,}", one["turns"], megabytes(one["heap_bytes_after_warm_up"]),
            megabytes(one["heap_bytes_at_the_end"]), megabytes(one["gpu_bytes_after_warm_up"]),
            megabytes(one["gpu_bytes_after_steps"]),
        ])
    titles = ["engine", "steps", "evaluations and samples", "module after 100 steps, MB", "at the end, MB",
              "GPU after 100 steps, MB", "GPU after the steps, MB"]
    return origin(found) + table(titles, rows)


def size():
    found = result("size")
    figures = found["figures"]
    rows = [
        [title, f"{figures[name + '_brotli_bytes'] / 1e6:.2f}",
         f"{figures[name + '_bytes'] / 1e6:.1f}" if name + "_bytes" in figures else ""]
        for title, name in (("page", "page"), ("CPU module", "cpu_wasm"),
                            ("CPU module with relaxed SIMD", "cpu_relaxed_wasm"), ("WebGPU module", "webgpu_wasm"))
    ]
    starts = [["the tiny model, from the opening of the page", number(figures["first_step_seconds_tiny"])],
              ["SmolLM2, from the browser's storage", number(figures["first_step_seconds_smollm2"])]]
    return origin(found) + table(["part", "with brotli, MB", "as it is, MB"], rows) + "\n" + table(
        ["until the first step of", "s"], starts)


def figures(name, rows):
    """A table of single figures: a title, its name, and how it is written."""
    found = result(name)
    return origin(found) + table(
        ["figure", "value"], [[title, write(found["figures"][figure])] for title, figure, write in rows])


def cpu():
    return figures("cpu", [
        ("GFLOP/s of a step on one core", "gflops_step", number),
        ("GFLOP/s of a loop in registers with fused multiply-add", "gflops_ceiling", number),
        ("share of that loop", "share_of_ceiling", number),
        ("two runs on two cores ÷ one run", "workers_2_cost", number),
        ("one run whose steps two workers share ÷ on one", "shards_2_cost", number),
        ("largest difference of losses by sharing", "shards_2_largest_difference_of_losses", number),
    ])


def dispatches():
    return figures("dispatches", [
        ("launches of the optimizer, 8 runs", "optimizer_dispatches_8_runs", number),
        ("launches of a whole step", "step_dispatches", lambda value: f"{value:,}"),
        ("bytes uploaded a step", "step_uploaded_bytes", lambda value: f"{value:,}"),
        ("answers that a step waits for", "step_read_backs", number),
    ])


def half():
    return figures("half", [
        ("tiny model", "relative_loss_difference_tiny", number),
        ("SmolLM2", "relative_loss_difference_smollm2", number),
    ])


def first_run():
    return figures("first-run", [
        ("AdamW, first loss", "adamw_first_loss", number),
        ("AdamW, loss of step 30", "adamw_last_loss", number),
        ("scaled AdamW, loss of step 30", "scaled_adamw_last_loss", number),
        ("a step of both runs, s", "seconds_per_step_two_runs", number),
        ("most memory of the tab, MB", "peak_tab_bytes", megabytes),
        ("a click is answered after, ms", "click_latency_ms", number),
        ("losses of ten steps, browser less native program", "native_browser_loss_difference", number),
    ])


def page():
    return figures("page", [
        ("Lighthouse, performance", "lighthouse_performance", number),
        ("Lighthouse, accessibility", "lighthouse_accessibility", number),
        ("Lighthouse, best practices", "lighthouse_best_practices", number),
        ("violations that axe finds, all views, both themes", "axe_violations", number),
        ("first contentful paint, ms", "first_contentful_paint_ms", number),
        ("steps a second of the tiny model, two runs", "tiny_steps_per_second_two_runs", number),
    ])


def ecosystem():
    """Figures of several commands, each with its own origin."""
    found = result("ecosystem")
    titles = {
        "script_two_process_difference": "losses of two processes less those of one, at most",
        "script_native_difference": "losses of the script less those of the native program, at most",
        "ray_trials_resumed": "trials of six that a killed sweep did not train again",
        "ray_native_difference": "losses of the sweep on Ray less those of the native program, at most",
        "diffusers_script_steps": "steps of the text-to-image script",
    }
    rows = [
        [titles.get(figure, figure.replace("_", " ")), number(value), f"`{origin['command']}`, {origin['when'][:10]}"]
        for figure, value in found["figures"].items()
        for origin in [found["origins"][figure]]
    ]
    return table(["figure", "value", "command"], rows)


def reliability():
    found = result("reliability")
    rows = [
        [name, f"{one['cases']:,}", f"{one['accepted'] / one['cases'] * 100:.0f} %", one["panics"], one["aborts"], one["hangs"],
         one["memory_excess"]]
        for name, one in found["targets"].items()
    ]
    figures = found["figures"]
    rows.append(["**all**", f"{figures['fuzz_cases']:,}", "",
                 *(figures[fault] for fault in ("panics", "aborts", "hangs", "memory_excess"))])
    titles = ["what was malformed", "cases", "accepted", "panics", "aborts", "without an end", "too much memory"]
    seeds = ", ".join(str(run["seed"]) for run in found["runs"])
    return origin(found) + table(titles, rows) + f"\nSeeds {seeds}.\n"


def kills():
    found = result("reliability")
    rows = [
        [name, one["kills"], one["curves"], one["curves_equal"], one["trainings_lost"]]
        for run in found["kills"] for name, one in run["kinds"].items()
    ]
    return table(["what was killed", "kills", "trainings", "with the same curve, to the bit", "lost"], rows)


def overhead():
    found = result("overhead")
    rows = [
        [rank, *(number(found["figures"][f"{where}step_time_ratio_r{rank}"], 5) for where in ("", "browser_"))]
        for rank in (4, 8, 16, 64)
    ]
    return origin(found) + table(["rank", "natively", "in the browser"], rows)


def first_minute():
    """Losses by method and rate, means over seeds; each method's best in bold."""
    found = result("study-first-minute")
    seeds = len(found["plan"]["seeds"])
    rows = []
    for method in found["plan"]["methods"]:
        curve = found["figures"][method["name"]]["curve"]
        best = min(point["loss"] for point in curve if point["loss"] is not None)
        row = [
            f"{point['lr']:.2g}: " + ("diverged" if point["loss"] is None else
                                      f"**{point['loss']:.3f}**" if point["loss"] == best else f"{point['loss']:.3f}")
            for point in curve
        ]
        rows.append([method["name"], *row])
    base = f"Validation losses, means over {seeds} seeds, by learning rate; the base has {found['base_loss']:.3f}.\n\n"
    return origin(found) + base + table(["method", *[""] * (len(rows[0]) - 1)], rows)


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)

    def written(place):
        name = place.group(1)
        text = globals()[name.replace("-", "_")]()
        return f"<!-- table {name} -->\n{text}<!-- end -->\n"

    for text in TEXTS:
        before = text.read_text(encoding="utf-8")
        after = PLACE.sub(written, before)
        if sys.argv[1:] and after != before:
            sys.exit(f"{text.name} does not say what benchmarks/results says: run benchmarks/tables.py")
        text.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
