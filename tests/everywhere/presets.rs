//! What the page says that its presets take in memory.

use riemann_lora::model::{ModelConfig, architecture::Fields};
use serde_json::{Value, json};

const PRESETS: &str = include_str!("../../www/src/store/hub-presets.ts");
/// Of numbers with so many digits.
const ROUNDED: f64 = 0.01;

/// Repository, what its config.json says of the shape, and bytes of a value in its files.
fn shapes() -> Vec<(&'static str, Value, u64)> {
    let llama = |hidden, inner, layers, heads, key_heads, vocab, tied: bool| {
        json!({
            "model_type": "llama", "hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers,
            "num_attention_heads": heads, "num_key_value_heads": key_heads, "vocab_size": vocab,
            "tie_word_embeddings": tied,
        })
    };
    let of = |mut json: Value, more: Value| {
        let fields = json.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        json
    };
    let gpt2 = json!({
        "model_type": "gpt2", "vocab_size": 50257, "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024,
    });
    vec![
        (
            "HuggingFaceTB/SmolLM2-135M",
            llama(576, 1536, 30, 9, 3, 49152, true),
            2,
        ),
        (
            "unsloth/gemma-3-270m",
            of(
                llama(640, 2048, 18, 4, 1, 262_144, true),
                json!({ "model_type": "gemma3_text", "head_dim": 256, "query_pre_attn_scalar": 256, "sliding_window": 512 }),
            ),
            2,
        ),
        ("openai-community/gpt2", gpt2, 4),
        (
            "HuggingFaceTB/SmolLM2-360M",
            llama(960, 2560, 32, 15, 5, 49152, true),
            2,
        ),
        (
            "Qwen/Qwen2.5-0.5B",
            of(
                llama(896, 4864, 24, 14, 2, 151_936, true),
                json!({ "model_type": "qwen2" }),
            ),
            2,
        ),
        (
            "Qwen/Qwen3-0.6B",
            of(
                llama(1024, 3072, 28, 16, 8, 151_936, true),
                json!({ "model_type": "qwen3", "head_dim": 128 }),
            ),
            2,
        ),
        (
            "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
            llama(2048, 5632, 22, 32, 4, 32000, false),
            2,
        ),
        (
            "unsloth/Llama-3.2-1B",
            llama(2048, 8192, 16, 32, 8, 128_256, true),
            2,
        ),
    ]
}

everywhere! {
    async fn presets_say_what_their_weights_take() {
        // preset(name, repository, bytes of the files, bytes in memory, licence)
        let said: Vec<(&str, f64)> = PRESETS
            .lines()
            .filter_map(|line| line.trim().strip_prefix("preset('"))
            .map(|line| {
                let fields: Vec<&str> = line.split(", ").collect();
                (fields[1].trim_matches('\''), fields[3].parse().unwrap())
            })
            .collect();
        assert_eq!(said.len(), shapes().len());
        for ((repository, config, bytes), (name, memory)) in shapes().into_iter().zip(said) {
            assert_eq!(repository, name);
            let fields = Fields::new(config).unwrap();
            let config = ModelConfig::from_json(&fields).unwrap();
            let expected = (config.parameters() * bytes) as f64;
            let error = memory / expected - 1.0;
            assert!(error.abs() < ROUNDED, "{name}: {memory} said, {expected} counted");
        }
    }
}
