# shellcheck shell=bash
# The wasm modules of the page. Source it after lib.sh.

MODULES=(cpu cpu-relaxed webgpu)

is_module() { [[ " ${MODULES[*]} " == *" $1 "* ]]; }

# features_of MODULE. `cpu-relaxed` is the CPU's for browsers that know relaxed SIMD; only this crate is compiled again.
features_of() {
    case "$1" in
        cpu-relaxed) echo cpu,relaxed-simd ;;
        *) echo "$1" ;;
    esac
}
