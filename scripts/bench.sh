# shellcheck shell=bash
# What the measurements share. Source it after lib.sh and the set-up scripts.

# measure NAME SPEC VARIABLE=VALUE...: a spec of www/benchmarks in headless Chromium.
measure() {
    local name=$1 spec=$2
    shift 2
    stage "$name" env "$@" npm exec --prefix www -- playwright test --config www/benchmarks/playwright.config.ts "benchmarks/$spec"
}

# Where build_works puts them.
WORKS=$LOGS/bench-works

# build_works ENGINE FEATURES: benchmarks/works as a wasm module, with the page's profile and features.
build_works() {
    with_wasm cargo build --locked --release --target wasm32-unknown-unknown --no-default-features --features "$2" --example works
    wasm-bindgen --target web --out-dir "$WORKS/$1" --out-name works "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/examples/works.wasm"
}

# earlier_modules COMMIT: BEFORE is a folder with the CPU's modules of that commit, each in a folder of its name.
earlier_modules() {
    local commit
    commit=$(git rev-parse "$1")
    BEFORE=$CACHE/earlier/$commit
    if [ -d "$BEFORE" ]; then return; fi
    local checkout=$CACHE/earlier/checkout
    git worktree remove --force "$checkout" 2>/dev/null || true
    rm -rf "$checkout"
    mkdir -p "$CACHE/earlier"
    git worktree add --detach "$checkout" "$commit" >/dev/null 2>&1
    "$checkout/scripts/build" --fast cpu cpu-relaxed
    rm -rf "$BEFORE.part"
    mkdir "$BEFORE.part"
    cp -r "$checkout"/www/src/generated/cpu* "$BEFORE.part/"
    mv "$BEFORE.part" "$BEFORE"
    git worktree remove --force "$checkout"
}

# write_result NAME FOUND [ENGINE]: what was found, a JSON object with `figures`, becomes benchmarks/results/NAME.json with
# where it comes from. A quick measurement is only shown.
write_result() {
    python3 - "$1" "$2" "headless Chromium${3:-}" "scripts/bench-$1" <<<"$RESULT_FILE"
    benchmarks/tables.py
}

# add_figures NAME FOUND COMMAND: the same of a file that several commands write, each its own figures and where they come from.
add_figures() {
    python3 - "$1" "$2" "" "$3" <<<"$RESULT_FILE"
    benchmarks/tables.py
}

# NAME FOUND BROWSER COMMAND; without a browser the figures are added to those of other commands.
RESULT_FILE=$(
    cat <<'PY'
import datetime, json, os, pathlib, platform, subprocess, sys
name, found, browser, command = sys.argv[1:]
model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.processor())
git = lambda *words: subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()
changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "Cargo.lock")
origin = {
    "command": command,
    "commit": git("rev-parse", "HEAD") + ("-dirty" if changed else ""),
    "machine": ", ".join([model, f"{os.cpu_count()} cores", "no GPU", *([browser] if browser else [])]),
    # Others' work on the machine costs time.
    "load_average": round(os.getloadavg()[0], 1),
    "when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
}
result = origin | json.load(open(found))
result["figures"] = {
    figure: float(f"{value:.4g}") if isinstance(value, float) else value for figure, value in result["figures"].items()
}
shown = result["figures"]
path = pathlib.Path(f"benchmarks/results/{name}.json")
if not browser:
    before = json.loads(path.read_text()) if path.exists() else {"figures": {}, "origins": {}}
    origins = before["origins"] | {figure: origin for figure in shown}
    commands = sorted({one["command"] for one in origins.values()})
    result = origin | {"command": ", ".join(commands), "figures": before["figures"] | shown, "origins": origins}
text = json.dumps(result, indent=2) + "\n"
if "BENCH_QUICK" in os.environ:
    print(text)
else:
    path.write_text(text)
    print(json.dumps(shown, indent=2))
PY
)
