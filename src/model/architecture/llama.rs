//! Llama: RMSNorm, rotary positions, grouped-query attention, SwiGLU; no biases.

use super::{Architecture, Module, Norm, Projection, decoder, name};
use crate::model::Target;

/// A block without biases or norms inside, which other architectures share.
pub const BLOCK: &[Module] = &[
    Module::norm(Norm::Attention, "input_layernorm", "attn_norm"),
    Module::linear(
        Projection::Queries,
        Target::QProj,
        "self_attn.q_proj",
        "attn_q",
    ),
    Module::linear(
        Projection::Keys,
        Target::KProj,
        "self_attn.k_proj",
        "attn_k",
    ),
    Module::linear(
        Projection::Values,
        Target::VProj,
        "self_attn.v_proj",
        "attn_v",
    ),
    Module::linear(
        Projection::AttentionOutput,
        Target::OProj,
        "self_attn.o_proj",
        "attn_output",
    ),
    Module::norm(Norm::FeedForward, "post_attention_layernorm", "ffn_norm"),
    Module::linear(
        Projection::Gate,
        Target::GateProj,
        "mlp.gate_proj",
        "ffn_gate",
    ),
    Module::linear(Projection::Up, Target::UpProj, "mlp.up_proj", "ffn_up"),
    Module::linear(
        Projection::Down,
        Target::DownProj,
        "mlp.down_proj",
        "ffn_down",
    ),
];

/// Llama.
pub static LLAMA: Architecture = Architecture {
    model_type: "llama",
    gguf_name: "llama",
    title: "Llama",
    class: "LlamaForCausalLM",
    prefix: None,
    embedding: name("model.embed_tokens", "token_embd"),
    positions: None,
    blocks: "model.layers",
    modules: BLOCK,
    final_norm: Module::norm(Norm::Attention, "model.norm", "output_norm"),
    head: name("lm_head", "output"),
    computed: &[".rotary_emb.inv_freq"],
    stores_columns: false,
    gguf_keeps_pairs: true,
    json_names: &[("norm_eps", "rms_norm_eps")],
    from_json: decoder::from_json,
    to_json: decoder::to_json,
    from_gguf: Some(decoder::from_gguf),
};
