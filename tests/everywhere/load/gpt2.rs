//! GPT-2 folders, sound and malformed.

use std::collections::BTreeMap;

use riemann_lora::model::{Activation, ModelConfig, architecture::GPT2};
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};

use super::{
    GOLDEN_TOKENIZER, assert_refused,
    gguf_writer::{GgufWriter, TINY, Value as Metadata, WrittenTensor},
    hugging_face::{Written, write},
    open,
};

const CONFIG: &[u8] = include_bytes!("../../fixtures/golden/gpt2/model/config.json");
const WEIGHTS: &[u8] = include_bytes!("../../fixtures/golden/gpt2/model/model.safetensors");

fn folder<'a>(config: &'a [u8], weights: &'a [u8]) -> [(&'static str, &'a [u8]); 3] {
    [
        ("config.json", config),
        ("model.safetensors", weights),
        ("tokenizer.json", GOLDEN_TOKENIZER),
    ]
}

fn tensors() -> BTreeMap<String, Written> {
    let file = SafeTensors::deserialize(WEIGHTS).unwrap();
    let tensors = file.iter().map(|(name, view)| {
        let written = (view.dtype(), view.shape().to_vec(), view.data().to_vec());
        (name.to_owned(), written)
    });
    tensors.collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let chunks = bytes.as_chunks::<4>().0.iter();
    chunks.map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

everywhere! {
    /// Conv1D weights are turned round, everything else is as it was.
    async fn the_golden_model_opens() {
        let checkpoint = open(&folder(CONFIG, WEIGHTS)).await.unwrap();
        let expected = ModelConfig {
            vocab_size: 320,
            hidden_size: 32,
            intermediate_size: 128,
            num_hidden_layers: 2,
            max_position_embeddings: 128,
            tie_word_embeddings: true,
            num_attention_heads: 4,
            num_key_value_heads: 4,
            head_dim: 8,
            norm_eps: 1e-5,
            activation: Activation::GeluTanh,
            ..ModelConfig::of(&GPT2)
        };
        assert_eq!(*checkpoint.config(), expected);
        let golden = tensors();
        assert_eq!(checkpoint.tensors().len(), golden.len());
        let mut elements = 0;
        for info in checkpoint.tensors() {
            let (_, shape, bytes) = &golden[&info.name];
            let stored = floats(bytes);
            let tensor = checkpoint.tensor(&info.name).await.unwrap();
            elements += tensor.values.len();
            match shape[..] {
                [inputs, outputs] if info.name.contains(".c_") => {
                    assert_eq!(tensor.shape, [outputs, inputs]);
                    for (index, value) in tensor.values.iter().enumerate() {
                        let (output, input) = (index / inputs, index % inputs);
                        assert_eq!(*value, stored[input * outputs + output], "{}", info.name);
                    }
                }
                _ => assert_eq!((&tensor.shape, &tensor.values), (shape, &stored), "{}", info.name),
            }
        }
        assert_eq!(elements as u64, checkpoint.config().parameters());
    }
}

everywhere! {
    /// OpenAI's own file: no prefix, the mask among the tensors (in a type that is no number of ours), a copy of the
    /// tied head in others.
    async fn names_without_prefix_and_buffers_are_understood() {
        let mut renamed: BTreeMap<String, Written> = tensors()
            .into_iter()
            .map(|(name, written)| (name.replace("transformer.", ""), written))
            .collect();
        let expected = renamed.len();
        renamed.insert("h.0.attn.bias".to_owned(), (Dtype::U8, vec![1, 1, 128, 128], vec![0; 128 * 128]));
        renamed.insert("h.1.attn.masked_bias".to_owned(), (Dtype::F32, vec![], vec![0; 4]));
        renamed.insert("lm_head.weight".to_owned(), renamed["wte.weight"].clone());
        let weights = write(&renamed);
        let checkpoint = open(&folder(CONFIG, &weights)).await.unwrap();
        assert_eq!(checkpoint.tensors().len(), expected);
        let tensor = checkpoint.tensor("transformer.h.1.mlp.c_proj.bias").await.unwrap();
        assert_eq!(tensor.values, floats(&renamed["h.1.mlp.c_proj.bias"].2));
    }
}

everywhere! {
    async fn wrong_configs_say_what_would_work() {
        let cases: Vec<(&str, Value, &str)> = vec![
            ("n_embd", json!(33), "its n_embd 33 cannot be divided among 4 heads (n_head)"),
            ("n_head", json!(5), "its n_embd 32 cannot be divided among 5 heads (n_head)"),
            ("n_head", json!(0), "cannot be divided among 0 heads"),
            ("n_embd", Value::Null, "n_embd is missing"),
            ("n_embd", json!("wide"), "it is malformed"),
            ("n_embd", json!(u64::from(u32::MAX)), "n_embd"),
            ("n_embd", json!(349_528), "n_inner (4 n_embd) is 1398112; it must be between 1 and 1048576"),
            ("n_positions", json!(0), "n_positions is 0; it must be"),
            ("n_layer", json!(1_048_577), "n_layer is 1048577; it must be between 1 and 1048576"),
            ("n_layer", json!(3), "tensor transformer.h.2.ln_1.weight is missing"),
            ("n_layer", json!(1), "has no place in a GPT-2 model"),
            (
                "n_positions",
                json!(1024),
                "transformer.wpe.weight has shape [128, 32]; the config asks for [1024, 32]",
            ),
            (
                "n_inner",
                json!(64),
                "transformer.h.0.mlp.c_fc.weight has shape [32, 128]; the config asks for [32, 64]",
            ),
            ("n_inner", json!(0), "n_inner is 0; it must be between 1 and 1048576"),
            (
                "activation_function",
                json!("relu"),
                "activation_function relu is not supported; use a model with gelu_new",
            ),
            ("scale_attn_weights", json!(false), "scale_attn_weights differs from GPT-2's own"),
            ("scale_attn_by_inverse_layer_idx", json!(true), "scale_attn_by_inverse_layer_idx differs"),
            ("add_cross_attention", json!(true), "add_cross_attention differs"),
            ("layer_norm_epsilon", json!(0.0), "layer_norm_epsilon is 0; it must be a positive number"),
            ("tie_word_embeddings", json!(false), "tensor lm_head.weight is missing"),
            ("architectures", json!(["GPT2Model"]), "describes a GPT2Model, which is not supported; use a GPT2LMHeadModel"),
        ];
        for (field, value, expected) in cases {
            let mut config: Value = serde_json::from_slice(CONFIG).unwrap();
            config[field] = value;
            let config = serde_json::to_vec(&config).unwrap();
            assert_refused(&folder(&config, WEIGHTS), expected).await;
        }
    }
}

everywhere! {
    /// A width of its own is no more than another shape.
    async fn an_inner_width_that_fits_is_accepted() {
        let mut config: Value = serde_json::from_slice(CONFIG).unwrap();
        config["n_inner"] = json!(128);
        let config = serde_json::to_vec(&config).unwrap();
        let checkpoint = open(&folder(&config, WEIGHTS)).await.unwrap();
        assert_eq!(checkpoint.config().intermediate_size, 128);
    }
}

everywhere! {
    async fn wrong_weights_are_refused() {
        let bias = "transformer.h.1.attn.c_attn.bias";
        let mut without = tensors();
        without.remove(bias);
        let mut with = tensors();
        with.insert("transformer.h.0.attn.q.weight".to_owned(), with[bias].clone());
        let mut turned = tensors();
        if let Some((_, shape, _)) = turned.get_mut("transformer.h.0.attn.c_attn.weight") {
            shape.reverse();
        }
        let mut twice = tensors();
        twice.insert("wte.weight".to_owned(), twice["transformer.wte.weight"].clone());
        for (tensors, expected) in [
            (without, "model.safetensors: tensor transformer.h.1.attn.c_attn.bias is missing"),
            (with, "tensor transformer.h.0.attn.q.weight has no place in a GPT-2 model"),
            (turned, "c_attn.weight has shape [96, 32]; the config asks for [32, 96]"),
            (twice, "tensor transformer.wte.weight occurs twice"),
        ] {
            assert_refused(&folder(CONFIG, &write(&tensors)), expected).await;
        }
    }
}

/// The golden model as llama.cpp's converter writes it: other names, and linear weights as [out, in].
pub fn golden_as_gguf() -> GgufWriter {
    let mut writer = GgufWriter::llama(TINY);
    writer
        .metadata
        .retain(|(key, _)| !key.starts_with("llama."));
    writer.set("general.architecture", Metadata::String("gpt2".to_owned()));
    for (key, number) in [
        ("block_count", 2),
        ("context_length", 128),
        ("embedding_length", 32),
        ("feed_forward_length", 128),
        ("attention.head_count", 4),
    ] {
        writer.set(&format!("gpt2.{key}"), Metadata::U32(number));
    }
    writer.set("gpt2.attention.layer_norm_epsilon", Metadata::F32(1e-5));
    let names = [
        ("transformer.h.", "blk."),
        ("transformer.wte", "token_embd"),
        ("transformer.wpe", "position_embd"),
        ("transformer.ln_f", "output_norm"),
        ("ln_1", "attn_norm"),
        ("ln_2", "ffn_norm"),
        ("attn.c_attn", "attn_qkv"),
        ("attn.c_proj", "attn_output"),
        ("mlp.c_fc", "ffn_up"),
        ("mlp.c_proj", "ffn_down"),
    ];
    writer.tensors = tensors()
        .into_iter()
        .map(|(name, (_, shape, bytes))| {
            let values = floats(&bytes);
            let (shape, values) = match shape[..] {
                [inputs, outputs] if name.contains(".c_") => {
                    let turned = (0..outputs * inputs)
                        .map(|index| values[index % inputs * outputs + index / inputs]);
                    (vec![outputs, inputs], turned.collect())
                }
                _ => (shape, values),
            };
            let name = names
                .iter()
                .fold(name, |name, (from, to)| name.replace(from, to));
            WrittenTensor {
                name,
                shape: shape.into_iter().map(|size| size as u64).collect(),
                kind: 0,
                bytes: values.into_iter().flat_map(f32::to_le_bytes).collect(),
                offset: None,
            }
        })
        .collect();
    writer
}

everywhere! {
    async fn a_gguf_file_is_the_same_model() {
        let bytes = golden_as_gguf().finish();
        let from_gguf = open(&[("model.gguf", &bytes)]).await.unwrap();
        let from_folder = open(&folder(CONFIG, WEIGHTS)).await.unwrap();
        assert_eq!(from_gguf.config(), from_folder.config());
        assert_eq!(from_gguf.tensors(), from_folder.tensors());
        for tensor in from_folder.tensors() {
            let name = &tensor.name;
            assert_eq!(
                from_gguf.tensor(name).await,
                from_folder.tensor(name).await,
                "{name}"
            );
        }
    }
}
