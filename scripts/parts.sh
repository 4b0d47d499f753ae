# shellcheck shell=bash
# The parts of the page, each made again only when what it is made from has changed: scripts/build makes them all, and
# scripts/serve those first that a first page needs. Source it after lib.sh, modules.sh and everything in setup/.

GENERATED=$ROOT/www/src/generated
STAMPS=$GENERATED/.stamps
RELEASE=$CARGO_TARGET_DIR/wasm32-unknown-unknown/release
DIST=$ROOT/www/dist

mkdir -p "$STAMPS"
printf '*\n' >"$GENERATED/.gitignore"

# code_of MODULE: flags for this crate's own code. In the WebGPU module it writes shaders, reads files and waits; the CPU's
# computes, with the profile's level.
code_of() {
    case "$1" in
        webgpu) echo "-C opt-level=z" ;;
    esac
}

# level_of MODULE: how wasm-opt makes it better, run after run. The CPU's computes; the WebGPU one is code for shaders, and only
# its size counts.
level_of() {
    case "$1" in
        webgpu) echo "-Oz, then --merge-similar-functions -Oz" ;;
        *) echo -O2 ;;
    esac
}

# wasm_opt_level MODULE none|best
wasm_opt_level() { if [ "$2" = best ]; then level_of "$1"; else echo none; fi; }

# sources_of MODULE. Whatever the crate includes in itself lies under src/ or assets/.
sources_of() {
    printf '%s %s %s\n' "$(hash_files src assets Cargo.toml Cargo.lock .cargo)" "$(with_wasm rustc --version)" "$(code_of "$1")"
}

# Many changes (to the native program, to comments, to tests) leave the wasm file as it was.
compiled_of() { printf '%s %s %s\n' "$(hash_text <"$GENERATED/.compiled-$1.wasm")" "$WASM_BINDGEN_VERSION" "$(binaryen_lock)"; }

is_compiled() {
    [ -f "$GENERATED/.compiled-$1.wasm" ] && is_made_from "$STAMPS/$1-compiled" "$(sources_of "$1")"
}

# is_bound MODULE LEVEL. An optimised module is good enough for who did not want to wait for it, too.
is_bound() {
    local compiled level
    [ -f "$GENERATED/$1/riemann_lora.js" ] || return 1
    compiled=$(compiled_of "$1")
    for level in "$2" "$(level_of "$1")"; do
        if is_made_from "$STAMPS/$1-bound" "$compiled $level"; then return; fi
    done
    return 1
}

# compile_module MODULE: the crate as a wasm file with exactly one engine, kept as .compiled-MODULE.wasm.
compile_module() {
    local flags
    read -ra flags <<<"$(code_of "$1")"
    # cargo has one file of this name for all features and all checkouts. Were it left here, cargo could call it fresh and
    # leave us with the module of another checkout.
    rm -f "$RELEASE/riemann_lora.wasm" "$RELEASE/deps/riemann_lora.wasm"
    # Only as a cdylib, because with an rlib at its side rustc skips link-time optimisation.
    with_wasm cargo rustc --locked --lib --crate-type cdylib --release --target wasm32-unknown-unknown \
        --no-default-features --features "$(features_of "$1")" -- ${flags[@]+"${flags[@]}"}
    cp "$RELEASE/riemann_lora.wasm" "$GENERATED/.compiled-$1.wasm"
}

# bind_module MODULE LEVEL: JavaScript around the wasm file, and the wasm file made better.
bind_module() {
    local out=$GENERATED/$1 fresh=$GENERATED/.new
    rm -rf "$fresh"
    wasm-bindgen --target web --out-dir "$fresh" --out-name riemann_lora "$GENERATED/.compiled-$1.wasm"
    if [ "$2" != none ]; then
        # No flags for features: the module lists those that it uses (bulk memory, SIMD, ...) in its section target_features.
        local flags
        while read -ra flags; do
            "$WASM_OPT" "${flags[@]}" "$fresh/riemann_lora_bg.wasm" -o "$fresh/optimised.wasm" </dev/null
            mv "$fresh/optimised.wasm" "$fresh/riemann_lora_bg.wasm"
        done <<<"${2//, then /$'\n'}"
    fi
    # At once, so that a build which is stopped here leaves the module of before.
    rm -rf "$out"
    mv "$fresh" "$out"
}

# make_compiled MODULE
make_compiled() {
    local sources
    if is_compiled "$1"; then return; fi
    sources=$(sources_of "$1")
    stage "compile the $1 module" compile_module "$1"
    write_stamp "$STAMPS/$1-compiled" "$sources"
}

# make_bound MODULE none|best
make_bound() {
    local level
    level=$(wasm_opt_level "$1" "$2")
    take_back "$1"
    if is_bound "$1" "$level"; then return; fi
    stage "bind the $1 module, wasm-opt $level" bind_module "$1" "$level"
    write_stamp "$STAMPS/$1-bound" "$(compiled_of "$1") $level"
}

# is_there MODULE LEVEL
is_there() { is_compiled "$1" && is_bound "$1" "$2"; }

# set_aside_if_old MODULE: no part of the page until it is bound again. A page must not have modules of other sources than its
# own, but what took wasm-opt minutes may still be what comes out.
set_aside_if_old() {
    if [ ! -d "$GENERATED/$1" ] || is_there "$1" none; then return; fi
    rm -rf "$GENERATED/.aside-$1"
    mv "$GENERATED/$1" "$GENERATED/.aside-$1"
}
take_back() {
    if [ -d "$GENERATED/.aside-$1" ] && [ ! -d "$GENERATED/$1" ]; then mv "$GENERATED/.aside-$1" "$GENERATED/$1"; fi
    rm -rf "$GENERATED/.aside-$1"
}

notices_of() { hash_files Cargo.lock www/package-lock.json scripts/notices; }
notices_are_there() { is_made_from "$STAMPS/notices" "$(notices_of)" && [ -f "$GENERATED/THIRD-PARTY.txt" ] && [ -f "$GENERATED/sbom.cdx.json" ]; }

make_notices() {
    local made_from
    if notices_are_there; then return; fi
    # Before: a file that changes meanwhile is not what they are made from.
    made_from=$(notices_of)
    stage "notices" with_wasm scripts/notices "$GENERATED/THIRD-PARTY.txt" "$GENERATED/sbom.cdx.json"
    write_stamp "$STAMPS/notices" "$made_from"
}

# begin_page_packages: npm packages and notices, which are mostly downloaded, beside what the script does meanwhile;
# finish_page_packages waits for them.
begin_page_packages() {
    if npm_packages_are_there && notices_are_there; then return; fi
    begin "npm packages and notices" make_page_packages
}
finish_page_packages() { finish "npm packages and notices"; }
make_page_packages() {
    ensure_npm_packages
    make_notices
}

# make_page none|fast|best: the page with the modules that are bound, compressed so well, in www/dist.
make_page() {
    local made_from level=$1
    made_from="$(hash_page) ${WEBGPU_TO_COME:-}"
    if is_page_made_from "$made_from" "$level"; then return; fi
    stage "page" write_page "$level"
    write_stamp "$STAMPS/page" "$made_from $level"
}

# is_page_made_from SOURCES LEVEL: or made better than asked for.
is_page_made_from() {
    local level
    [ -f "$DIST/index.html" ] || return 1
    for level in best fast none; do
        if is_made_from "$STAMPS/page" "$1 $level"; then return; fi
        if [ "$level" = "$2" ]; then return 1; fi
    done
}

hash_page() {
    find www scripts/compress.mjs models/icons \
        \( -name node_modules -o -path www/dist -o -path www/test-results -o -path "www/src/generated/.*" \) \
        -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | hash_text
}

# write_page LEVEL: beside the page that is being served, and then in its place.
write_page() {
    local fresh=$GENERATED/.page
    npm run --prefix www build -- --outDir "$fresh" --emptyOutDir
    cp "$GENERATED/THIRD-PARTY.txt" "$GENERATED/sbom.cdx.json" "$fresh/"
    put_models "$fresh/models"
    case "$1" in
        fast) node scripts/compress.mjs "$fresh" "$CACHE/compressed" --fast ;;
        best) node scripts/compress.mjs "$fresh" "$CACHE/compressed" ;;
    esac
    rm -rf "$GENERATED/.page-before"
    if [ -d "$DIST" ]; then mv "$DIST" "$GENERATED/.page-before"; fi
    mv "$fresh" "$DIST"
    rm -rf "$GENERATED/.page-before"
}
