# shellcheck shell=bash
# The programs between rustc and the browser. Source it after lib.sh.

WASM_OPT=$TOOLS/binaryen/node_modules/.bin/wasm-opt

# cargo_tool CARGO-INSTALL-WORD...: installed from source, because prebuilt ones are not in a registry.
cargo_tool() {
    # Not optimised: such a tool works for seconds, and is compiled for minutes.
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_TARGET_DIR="$CACHE/tools-target" \
        cargo install --locked --root "$TOOLS" --force "$@"
    # The objects of a tool are of no use to the project, and take a gigabyte.
    rm -rf "$CACHE/tools-target"
}

# wasm_bindgen_of LOCK-FILE: the version of wasm-bindgen in it.
wasm_bindgen_of() { awk '$0 == "name = \"wasm-bindgen\"" { getline; gsub(/[^0-9.]/, ""); print; exit }' "$1"; }

# A crate of two lines a tool, for the sake of its lock file: with the one that the tools are published with they do not build.
WASM_BINDGEN=$ROOT/scripts/setup/locks/wasm-bindgen
WASM_BINDGEN_VERSION=$(wasm_bindgen_of "$WASM_BINDGEN/Cargo.lock")

# begin_wasm_bindgen: ensure_wasm_bindgen, beside what the script does meanwhile; finish_wasm_bindgen waits for it.
begin_wasm_bindgen() {
    local locked
    locked=$(wasm_bindgen_of "$ROOT/Cargo.lock")
    [ "$locked" = "$WASM_BINDGEN_VERSION" ] ||
        die "Cargo.lock has wasm-bindgen $locked, and its tools have $WASM_BINDGEN_VERSION: they must be equal." \
            "Change the version in ${WASM_BINDGEN#"$ROOT/"}/Cargo.toml and call cargo update there, or run: cargo update -p wasm-bindgen --precise $WASM_BINDGEN_VERSION"
    if [ "$(wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $WASM_BINDGEN_VERSION" ]; then return; fi
    begin "wasm-bindgen" cargo_tool --path "$WASM_BINDGEN"
}

finish_wasm_bindgen() { finish "wasm-bindgen"; }

ensure_wasm_bindgen() {
    begin_wasm_bindgen
    finish_wasm_bindgen
}

# Only the tests need it: a build calls cargo and wasm-bindgen itself.
ensure_wasm_pack() {
    if [ "$(wasm-pack --version 2>/dev/null)" = "wasm-pack $WASM_PACK_VERSION" ]; then return; fi
    stage "wasm-pack" cargo_tool wasm-pack --version "$WASM_PACK_VERSION"
}

# What modules are made better with.
binaryen_lock() { hash_text <"$ROOT/scripts/setup/locks/binaryen/package-lock.json"; }

# From npm, because Debian's binaryen is too old for what current Rust writes.
ensure_wasm_opt() {
    local folder=$TOOLS/binaryen locks=$ROOT/scripts/setup/locks/binaryen made_from
    made_from=$(binaryen_lock)
    if [ -x "$WASM_OPT" ] && is_made_from "$folder/stamp" "$made_from"; then return; fi
    mkdir -p "$folder"
    cp "$locks"/package*.json "$folder"
    stage "binaryen" npm ci --prefix "$folder" --no-audit --no-fund
    write_stamp "$folder/stamp" "$made_from"
}
