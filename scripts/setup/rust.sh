# shellcheck shell=bash
# Rust, and a standard library for wasm. Source it after lib.sh.

WASM_TARGET=wasm32-unknown-unknown
# Where rustup cannot download: Debian's compiler with a standard library that is built here. It is a folder of its own, so
# that neither the system's files nor rustup's toolchains change.
DEBIAN_TOOLCHAIN=$CACHE/debian-toolchain

ensure_rust() {
    local have
    if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
        die "There is no Rust on this machine (no cargo or no rustc in PATH)." \
            "Install Rust $RUST_MIN or newer with rustup, https://rustup.rs, and start again in a new shell."
    fi
    # rustup puts its own rustc in PATH, also where it has installed no compiler yet.
    have=$(rustc --version 2>/dev/null | cut -d ' ' -f 2) ||
        die "There is a rustc in PATH, and it does not run." "With rustup: rustup default stable. Then start again."
    version_at_least "$have" "$RUST_MIN" ||
        die "Rust $have is too old: $RUST_MIN or newer is needed." "With rustup: rustup update stable"
    # Build scripts and procedural macros are linked with the system's linker.
    if ! command -v cc >/dev/null; then stage "C linker" apt_install gcc libc6-dev; fi
}

# Formatter and linter, for the tests only.
ensure_rust_lints() {
    if cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1; then return; fi
    command -v rustup >/dev/null ||
        die "rustfmt or clippy is missing, and there is no rustup to install it." \
            "Install both in the way in which Rust was installed; Debian: apt-get install rustfmt rust-clippy"
    stage "rustfmt and clippy" rustup component add rustfmt clippy
}

ensure_wasm_target() {
    if rustc_has_wasm || debian_toolchain_is_ready; then return; fi
    if command -v rustup >/dev/null && rustup target add "$WASM_TARGET" >"$LOGS/rustup.log" 2>&1; then return; fi
    HINT="rustup could not add $WASM_TARGET (see $LOGS/rustup.log), and Debian's compiler could not take its place.
  Make 'rustup target add $WASM_TARGET' work, and start again." \
        stage "standard library for wasm" make_debian_toolchain
}

rustc_has_wasm() { [ -d "$(rustc --print target-libdir --target "$WASM_TARGET" 2>/dev/null)" ]; }

# with_wasm COMMAND...: runs it with a Rust that can build for wasm.
with_wasm() {
    if rustc_has_wasm; then "$@"; else PATH="$DEBIAN_TOOLCHAIN/bin:$PATH" "$@"; fi
}

debian_toolchain_is_ready() {
    [ -x /usr/bin/rustc ] && is_made_from "$DEBIAN_TOOLCHAIN/stamp" "$(/usr/bin/rustc --version)"
}

make_debian_toolchain() {
    local host libs have scratch=$CACHE/debian-std
    apt_install rustc-web cargo-web rust-web-src "$DEBIAN_LLD"
    have=$(/usr/bin/rustc --version | cut -d ' ' -f 2)
    version_at_least "$have" "$RUST_MIN" || die "Debian's rustc-web is $have, and $RUST_MIN or newer is needed."

    mkdir -p "$scratch/src"
    : >"$scratch/src/lib.rs"
    printf '[package]\nname = "std-for-wasm"\nedition = "2024"\n[workspace]\n' >"$scratch/Cargo.toml"
    # `-Z build-std` is not stable, so a stable compiler must be told to allow it. Bitcode for link-time optimisation is
    # left out by default; `test` is the crate behind #[test].
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS="-C embed-bitcode=yes" CARGO_TARGET_DIR="$scratch/target" \
        /usr/bin/cargo build --release -Z build-std=std,panic_abort,test --target "$WASM_TARGET" \
        --manifest-path "$scratch/Cargo.toml"

    host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
    libs=$DEBIAN_TOOLCHAIN/lib/rustlib
    rm -rf "$DEBIAN_TOOLCHAIN"
    mkdir -p "$DEBIAN_TOOLCHAIN/bin" "$libs/$WASM_TARGET/lib"
    cp "$scratch/target/$WASM_TARGET/release/deps/"*.rlib "$libs/$WASM_TARGET/lib/"
    rm -f "$libs/$WASM_TARGET/lib/"libstd_for_wasm*
    ln -s "/usr/lib/rustlib/$host" "$libs/$host"
    ln -s /usr/bin/cargo "$DEBIAN_TOOLCHAIN/bin/cargo"
    # The name under which rustc looks for its linker.
    ln -s "/usr/bin/wasm-ld-${DEBIAN_LLD#lld-}" "$DEBIAN_TOOLCHAIN/bin/rust-lld"
    # shellcheck disable=SC2016 # "$@" is for the script that is written.
    printf '#!/bin/sh\nexec /usr/bin/rustc --sysroot "%s" "$@"\n' "$DEBIAN_TOOLCHAIN" >"$DEBIAN_TOOLCHAIN/bin/rustc"
    chmod +x "$DEBIAN_TOOLCHAIN/bin/rustc"
    rm -rf "$scratch"
    write_stamp "$DEBIAN_TOOLCHAIN/stamp" "$(/usr/bin/rustc --version)"
}
