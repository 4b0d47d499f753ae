# shellcheck shell=bash
# What exported scripts are run with: torch, transformers, PEFT, Ray and diffusers, some gigabytes in a folder of their own.
# Source it after lib.sh and python.sh.

TORCH_VENV=$CACHE/peft-venv
TORCH_PACKAGES=(torch transformers "peft>=0.21" accelerate gguf numpy pyarrow ray diffusers pillow)

# The models of the checks are tiny: threads of one product would wait for each other, and for those of the other processes.
export OMP_NUM_THREADS=1

install_torch() {
    python3 -m venv "$TORCH_VENV"
    "$TORCH_VENV/bin/pip" install "${TORCH_PACKAGES[@]}"
}

ensure_torch() {
    if is_made_from "$TORCH_VENV/made-from" "${TORCH_PACKAGES[*]}"; then return; fi
    HINT="Python's venv is needed, and the network." stage "torch and what stands on it" install_torch
    write_stamp "$TORCH_VENV/made-from" "${TORCH_PACKAGES[*]}"
}
