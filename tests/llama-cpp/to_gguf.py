"""Writes a Hugging Face folder of a Llama or a GPT-2 as a GGUF file in single precision, for scripts/check-llama-cpp.

    to_gguf.py MODEL TOKENIZER OUTPUT

MODEL      a folder with config.json and model.safetensors
TOKENIZER  tokenizer.json, byte-level BPE split as GPT-2 does
OUTPUT     the GGUF file

It shares no code with this project's reader and writer of GGUF files: what both misread would not be seen.
"""

import json
import pathlib
import sys

import gguf
import numpy
from safetensors.numpy import load_file

# What a GPT-2 stores as [in, out], and GGUF as [out, in].
TURNED = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


def add_llama_settings(writer, config):
    heads = config["num_attention_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(head_dim)
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])


def add_gpt2_settings(writer, config):
    writer.add_context_length(config["n_positions"])
    writer.add_embedding_length(config["n_embd"])
    writer.add_feed_forward_length(config["n_inner"] or 4 * config["n_embd"])
    writer.add_head_count(config["n_head"])
    writer.add_layer_norm_eps(config["layer_norm_epsilon"])


def add_tokenizer(writer, path, config):
    tokenizer = json.loads(path.read_text())
    vocabulary = tokenizer["model"]["vocab"] | {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    special = {token["content"] for token in tokenizer["added_tokens"] if token["special"]}
    tokens = sorted(vocabulary, key=vocabulary.get)
    kinds = (gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token in tokens)
    merges = tokenizer["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(list(kinds))
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_add_bos_token(False)


def pairs_together(weight, heads):
    """Rows of queries or keys with those that a rotary position turns together beside each other."""
    halves = weight.reshape(heads, 2, -1, weight.shape[1])
    return halves.swapaxes(1, 2).reshape(weight.shape)


def add_weights(writer, path, config, names):
    for name, weight in load_file(path).items():
        weight = weight.astype(numpy.float32)
        if config["model_type"] == "gpt2" and name.endswith(TURNED):
            weight = weight.T
        if config["model_type"] == "llama" and name.endswith("q_proj.weight"):
            weight = pairs_together(weight, config["num_attention_heads"])
        if config["model_type"] == "llama" and name.endswith("k_proj.weight"):
            weight = pairs_together(weight, config["num_key_value_heads"])
        theirs = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if theirs is None:
            sys.exit(f"{path}: GGUF has no name for {name}")
        writer.add_tensor(theirs, numpy.ascontiguousarray(weight))


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    model, tokenizer, output = map(pathlib.Path, sys.argv[1:])
    config = json.loads((model / "config.json").read_text())
    kinds = {
        "llama": (gguf.MODEL_ARCH.LLAMA, add_llama_settings, "num_hidden_layers"),
        "gpt2": (gguf.MODEL_ARCH.GPT2, add_gpt2_settings, "n_layer"),
    }
    architecture, add_settings, layers = kinds[config["model_type"]]
    writer = gguf.GGUFWriter(output, config["model_type"])
    writer.add_name(model.name)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_block_count(config[layers])
    writer.add_vocab_size(config["vocab_size"])
    add_settings(writer, config)
    add_tokenizer(writer, tokenizer, config)
    names = gguf.get_tensor_name_map(architecture, config[layers])
    add_weights(writer, model / "model.safetensors", config, names)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
