"""chart.py RESULT PICTURE: times of a step by engine, work and size as dots on a logarithmic axis."""

import json
import math
import sys

result, picture = sys.argv[1:]
result = json.load(open(result))
COLOURS = {
    "riemann-lora": "#0072b2",
    "jax-js": "#d55e00",
    "TensorFlow.js": "#7a7a7a",
    "burn apply_lora": "#009e73",
}
ENGINES = {"cpu": "CPU in the browser", "webgpu": "WebGPU in the browser", "native": "native CPU"}
LEFT, RIGHT, TOP, ROW, WIDTH = 250, 30, 62, 22, 860

rows = []
for engine, title in ENGINES.items():
    of_engine = [one for one in result["measured"] if one["engine"] == engine]
    if of_engine:
        rows.append((title, None))
    order = {"small": 0, "medium": 1, "large": 2}
    of_engine.sort(key=lambda one: (["layers", "block", "head", "optimizer"].index(one["work"]), order[one["size"]]))
    rows += [(f"{one['work']}, {one['size']}", one) for one in of_engine]
times = [
    seconds for _, one in rows if one for name, seconds in one["median_seconds"].items() if name in COLOURS
]
low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
height = TOP + ROW * len(rows) + 40
x_of = lambda seconds: LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(seconds) - low) / (high - low)
text = lambda x, y, words, more="": f'<text x="{x:.1f}" y="{y:.1f}" {more}>{words}</text>'
lines = [
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12" fill="#222">',
    f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    text(16, 24, "Seconds of a LoRA training step, medians; further left is faster", 'font-size="15"'),
]
x = 16
used = [name for name in COLOURS if any(one and name in one["median_seconds"] for _, one in rows)]
for name in used:
    lines.append(f'<circle cx="{x + 5}" cy="42" r="5" fill="{COLOURS[name]}"/>')
    lines.append(text(x + 15, 46, name))
    x += 30 + 7.5 * len(name)
for power in range(low, high + 1):
    x = x_of(10.0**power)
    lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{height - 34}" stroke="#ddd"/>')
    label = f"{10.0**power:g} s"
    lines.append(text(x, height - 16, label, 'text-anchor="middle"'))
for index, (title, one) in enumerate(rows):
    y = TOP + ROW * (index + 0.5)
    if one is None:
        lines.append(text(16, y + 4, title, 'font-weight="bold"'))
        continue
    lines.append(text(LEFT - 14, y + 4, title, 'text-anchor="end"'))
    dots = [(seconds, name) for name, seconds in one["median_seconds"].items() if name in COLOURS]
    ends = [x_of(seconds) for seconds, _ in dots]
    lines.append(f'<line x1="{min(ends):.1f}" x2="{max(ends):.1f}" y1="{y}" y2="{y}" stroke="#bbb"/>')
    for seconds, name in dots:
        lines.append(f'<circle cx="{x_of(seconds):.1f}" cy="{y}" r="5" fill="{COLOURS[name]}"><title>{name}: {seconds:g} s</title></circle>')
lines.append("</svg>")
open(picture, "w").write("\n".join(lines) + "\n")
