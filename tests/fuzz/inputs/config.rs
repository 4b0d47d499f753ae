//! config.json of a folder.

use serde_json::{Value, json};

use super::{
    Files, Outcome, Random, Target,
    fixtures::{Model, folder, golden, json_of},
    json::{damage, odd_value, set, text_of},
    numbers::number,
    using::open_and_use,
};

/// A folder whose configuration is damaged.
pub struct Config {
    /// Folder and configuration.
    folders: Vec<(Files, Value)>,
}

const NAMES: &[&str] = &[
    "attention_bias",
    "attention_multiplier",
    "attn_logit_softcapping",
    "eos_token_id",
    "final_logit_softcapping",
    "head_dim",
    "hidden_act",
    "hidden_size",
    "intermediate_size",
    "layer_types",
    "logits_scaling",
    "max_position_embeddings",
    "mlp_bias",
    "n_inner",
    "num_attention_heads",
    "num_hidden_layers",
    "num_key_value_heads",
    "no_rope_layers",
    "partial_rotary_factor",
    "query_pre_attn_scalar",
    "residual_multiplier",
    "rms_norm_eps",
    "rope_parameters",
    "rope_scaling",
    "rope_theta",
    "rotary_pct",
    "sliding_window",
    "sliding_window_pattern",
    "tie_word_embeddings",
    "use_parallel_residual",
    "use_sliding_window",
    "vocab_size",
];

/// Configuration and weights of families.
macro_rules! families {
    ($($name:literal)*) => {
        [$((
            golden!("families/", $name, "/model/config.json"),
            golden!("families/", $name, "/model/model.safetensors"),
        )),*]
    };
}

impl Config {
    pub fn new() -> Self {
        let families =
            families!("gemma2" "gemma3" "gpt_neox" "granite" "llama3" "phi3" "qwen2" "smollm3");
        let families = families.map(|(config, weights)| folder(config, weights));
        let folders = [Model::Llama, Model::Gpt2]
            .map(Model::folder)
            .into_iter()
            .chain(families);
        let with_config = folders.map(|folder| {
            let config = json_of(&folder[0].1);
            (folder, config)
        });
        Self {
            folders: with_config.collect(),
        }
    }
}

impl Target for Config {
    fn draw(&self, random: &mut Random) -> Files {
        let (folder, config) = random.pick(&self.folders);
        let (mut files, mut config) = (folder.clone(), config.clone());
        for _ in 0..1 + random.below(3) {
            let ideas = [
                json!({"type": "linear", "factor": 2.0}),
                json!({"rope_type": "default"}),
                json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}),
                json!({"rope_type": "longrope", "short_factor": [1.0], "long_factor": [1.0]}),
                json!({"rope_theta": 5.0}),
                json!(["GPT2LMHeadModel"]),
                json!(["full_attention", "sliding_attention"]),
                json!("gpt2"),
                json!("llama"),
                json!("gelu_new"),
                json!(number(random) % 70),
            ];
            match random.below(3) {
                0 => {
                    let new = if random.once_in(2) {
                        odd_value(random)
                    } else {
                        random.pick(&ideas).clone()
                    };
                    set(&mut config, random.text(NAMES), new);
                }
                _ => damage(random, &mut config, &ideas),
            }
        }
        files[0].1 = text_of(random, &config);
        files
    }

    fn attempt(&self, files: &Files) -> Outcome {
        open_and_use(files)
    }
}
