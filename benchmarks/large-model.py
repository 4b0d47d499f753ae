"""A Llama or a Qwen3 of a real one's shape with random weights, as a GGUF file; its tokenizer is that of another GGUF file.

    large-model.py SHAPE TOKENIZER.gguf OUTPUT.gguf

Memory and time of a step depend on shapes and types alone, so numbers that mean nothing serve to measure them. Shapes are
those of the models' config.json on Hugging Face: SmolLM2-135M, SmolLM2-360M, Llama-3.2-1B, and Qwen3-0.6B.
"""

import sys

import gguf
import numpy

SHAPES = {
    "smollm2-f32": dict(layers=30, hidden=576, inner=1536, heads=9, key_heads=3, vocabulary=49152, type="F32"),
    "360m": dict(layers=32, hidden=960, inner=2560, heads=15, key_heads=5, vocabulary=49152, type="Q8_0"),
    "1b": dict(layers=16, hidden=2048, inner=8192, heads=32, key_heads=8, vocabulary=128256, type="Q4_1"),
    "qwen3-06b": dict(layers=28, hidden=1024, inner=3072, heads=16, key_heads=8, head_dim=128, vocabulary=151936, type="Q8_0",
                      architecture="qwen3", rope=1e6, eps=1e-6),
}


def packed(random, rows, columns, kind):
    """As f32; or blocks of 32 values: scales (and minima) of half precision, small enough for activations to stay finite, then bytes."""
    quantised = gguf.GGMLQuantizationType[kind]
    if kind == "F32":
        return random.normal(0, 0.02, (rows, columns)).astype(numpy.float32), quantised
    block_values, block_bytes = gguf.GGML_QUANT_SIZES[quantised]
    blocks = random.integers(0, 256, (rows * columns // block_values, block_bytes), dtype=numpy.uint8)
    scale = 0.02 / (127 if kind == "Q8_0" else 7.5)
    blocks[:, 0:2] = numpy.frombuffer(numpy.float16(scale).tobytes(), numpy.uint8)
    if kind == "Q4_1":
        blocks[:, 2:4] = numpy.frombuffer(numpy.float16(-0.02).tobytes(), numpy.uint8)
    return blocks.reshape(rows, columns // block_values * block_bytes), quantised


def main(name, tokenizer, output):
    shape = SHAPES[name]
    random = numpy.random.default_rng(0)
    fields = gguf.GGUFReader(tokenizer).fields
    architecture = shape.get("architecture", "llama")
    writer = gguf.GGUFWriter(output, architecture)
    hidden, inner, heads, key_heads = (shape[key] for key in ("hidden", "inner", "heads", "key_heads"))
    head_dim = shape.get("head_dim", hidden // heads)
    queries, keys = head_dim * heads, head_dim * key_heads
    writer.add_name(f"random weights of the shape {name}")
    writer.add_context_length(2048)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(inner)
    writer.add_block_count(shape["layers"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(key_heads)
    writer.add_layer_norm_rms_eps(shape.get("eps", 1e-5))
    writer.add_rope_freq_base(shape.get("rope", 10000.0))
    writer.add_rope_dimension_count(head_dim)
    if "head_dim" in shape:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    writer.add_vocab_size(shape["vocabulary"])
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    missing = shape["vocabulary"] - len(tokens)
    writer.add_tokenizer_model(fields["tokenizer.ggml.model"].contents())
    if "tokenizer.ggml.pre" in fields:
        writer.add_tokenizer_pre(fields["tokenizer.ggml.pre"].contents())
    writer.add_token_list(tokens + [f"<unused {i}>" for i in range(missing)])
    writer.add_token_types(types + [int(gguf.TokenType.UNUSED)] * missing)
    writer.add_token_merges(fields["tokenizer.ggml.merges"].contents())
    writer.add_eos_token_id(fields["tokenizer.ggml.eos_token_id"].contents())

    def linear(tensor, rows, columns):
        blocks, quantised = packed(random, rows, columns, shape["type"])
        writer.add_tensor(tensor, blocks, raw_dtype=quantised)

    def norm(tensor, width=hidden):
        writer.add_tensor(tensor, numpy.ones(width, numpy.float32))

    linear("token_embd.weight", shape["vocabulary"], hidden)
    norm("output_norm.weight")
    for layer in range(shape["layers"]):
        norm(f"blk.{layer}.attn_norm.weight")
        norm(f"blk.{layer}.ffn_norm.weight")
        if architecture == "qwen3":
            norm(f"blk.{layer}.attn_q_norm.weight", head_dim)
            norm(f"blk.{layer}.attn_k_norm.weight", head_dim)
        for part, rows, columns in [
            ("attn_q", queries, hidden),
            ("attn_k", keys, hidden),
            ("attn_v", keys, hidden),
            ("attn_output", hidden, queries),
            ("ffn_gate", inner, hidden),
            ("ffn_up", inner, hidden),
            ("ffn_down", hidden, inner),
        ]:
            linear(f"blk.{layer}.{part}.weight", rows, columns)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


main(*sys.argv[1:])
