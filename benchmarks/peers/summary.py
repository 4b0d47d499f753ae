"""summary.py BROWSER NATIVE FOUND: puts what was measured together, and takes the figures that are quoted from it.

The figures are of the medium size of the work `layers`, ours over theirs, below 1 being faster.
"""

import json
import sys

browser, native, found = sys.argv[1:]
browser = json.load(open(browser))
measured = browser["measured"] + json.load(open(native))


def over(engine, peer):
    for one in measured:
        if (one["engine"], one["work"], one["size"]) == (engine, "layers", "medium"):
            return one["over"].get(peer)
    return None


figures = {
    "cpu_over_tfjs_wasm_medium": over("cpu", "TensorFlow.js"),
    # One run takes both cores, as in the page; by one core it is in `measured`.
    "cpu_over_jaxjs_wasm_medium": over("cpu", "jax-js, one run on two workers"),
    "cpu_one_core_over_jaxjs_wasm_medium": over("cpu", "jax-js"),
    "cpu_two_runs_over_jaxjs_wasm_medium": over("cpu", "jax-js, two runs"),
    "webgpu_over_tfjs_webgpu_medium": over("webgpu", "TensorFlow.js"),
    "webgpu_over_jaxjs_webgpu_medium": over("webgpu", "jax-js"),
    "over_burn_lora_medium": over("native", "burn apply_lora"),
}
json.dump(
    {
        "figures": {name: value for name, value in figures.items() if value is not None},
        "software_adapter": browser["software_adapter"],
        "measured": measured,
    },
    open(found, "w"),
)
