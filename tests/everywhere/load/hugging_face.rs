//! What a Hugging Face folder gives.

use std::collections::BTreeMap;

use half::{bf16, f16};
use riemann_lora::load::{StorageType, TokenizerExtras};
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    GOLDEN_CONFIG, GOLDEN_TOKENIZER, GOLDEN_WEIGHTS, assert_refused, golden_folder, open, theta,
};

/// The bytes of a rounded number, and the number.
type Narrow = fn(f32) -> ([u8; 2], f32);

/// A tensor to write: type, shape and bytes.
pub type Written = (Dtype, Vec<usize>, Vec<u8>);

/// The golden model's tensors.
pub fn golden_tensors() -> BTreeMap<String, Written> {
    let file = SafeTensors::deserialize(GOLDEN_WEIGHTS).expect("the fixture is sound");
    let tensors = file.iter().map(|(name, view)| {
        let written = (view.dtype(), view.shape().to_vec(), view.data().to_vec());
        (name.to_owned(), written)
    });
    tensors.collect()
}

/// A safetensors file with these tensors.
pub fn write<'a>(tensors: impl IntoIterator<Item = (&'a String, &'a Written)>) -> Vec<u8> {
    let views = tensors.into_iter().map(|(name, (kind, shape, bytes))| {
        let view = TensorView::new(*kind, shape.clone(), bytes);
        (name, view.expect("sizes agree"))
    });
    serialize(views, None).expect("sizes agree")
}

/// The golden `config.json` with some fields changed.
pub fn config_with(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut config = serde_json::from_slice(GOLDEN_CONFIG).expect("the fixture is JSON");
    change(&mut config);
    serde_json::to_vec(&config).expect("it is JSON")
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn the_golden_model_opens() {
    let checkpoint = open(&golden_folder()).await.expect("the fixture is sound");
    let config = checkpoint.config();
    assert_eq!(
        (
            config.vocab_size,
            config.hidden_size,
            config.intermediate_size
        ),
        (320, 32, 88)
    );
    assert_eq!(
        (
            config.num_attention_heads,
            config.num_key_value_heads,
            config.head_dim
        ),
        (4, 2, 8)
    );
    assert_eq!((config.norm_eps, theta(config)), (1e-5, 10_000.0));
    assert!(config.tie_word_embeddings);
    // `config.json` names them by id.
    assert_eq!(checkpoint.tokenizer().bos_id(), Some(0));
    assert_eq!(checkpoint.tokenizer().eos_ids(), [0]);

    let golden = golden_tensors();
    assert_eq!(checkpoint.tensors().len(), golden.len());
    for info in checkpoint.tensors() {
        let (_, shape, bytes) = &golden[&info.name];
        let expected: Vec<f32> = bytes
            .chunks_exact(4)
            .map(|x| f32::from_le_bytes([x[0], x[1], x[2], x[3]]))
            .collect();
        let tensor = checkpoint.tensor(&info.name).await.expect("it was checked");
        assert_eq!(info.storage, StorageType::F32);
        assert_eq!(info.bytes as usize, bytes.len());
        assert_eq!(
            (&tensor.shape, tensor.values),
            (shape, expected),
            "{}",
            info.name
        );
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn half_precision_is_widened() {
    let kinds: [(Dtype, StorageType, Narrow); 2] = [
        (Dtype::F16, StorageType::F16, |x| {
            let narrow = f16::from_f32(x);
            (narrow.to_le_bytes(), narrow.to_f32())
        }),
        (Dtype::BF16, StorageType::BF16, |x| {
            let narrow = bf16::from_f32(x);
            (narrow.to_le_bytes(), narrow.to_f32())
        }),
    ];
    for (dtype, storage, narrow) in kinds {
        let mut tensors = golden_tensors();
        for (kind, _, bytes) in tensors.values_mut() {
            let values = bytes
                .chunks_exact(4)
                .map(|x| f32::from_le_bytes([x[0], x[1], x[2], x[3]]));
            *bytes = values.flat_map(|x| narrow(x).0).collect();
            *kind = dtype;
        }
        let bytes = write(&tensors);
        let mut folder = golden_folder();
        let exact = open(&folder).await.expect("the fixture is sound");
        folder[1].1 = &bytes;
        let narrowed = open(&folder).await.expect("the file is sound");
        for info in narrowed.tensors() {
            assert_eq!(info.storage, storage);
            let expected = exact
                .tensor(&info.name)
                .await
                .expect("it was checked")
                .values;
            let expected: Vec<f32> = expected.into_iter().map(|x| narrow(x).1).collect();
            let found = narrowed
                .tensor(&info.name)
                .await
                .expect("it was checked")
                .values;
            assert_eq!(found, expected, "{}", info.name);
        }
    }
}

/// The golden weights in two parts, and the index of them.
fn parts() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let tensors = golden_tensors();
    let is_first = |name: &str| name.contains("layers.0.");
    let first = write(tensors.iter().filter(|(name, _)| is_first(name)));
    let second = write(tensors.iter().filter(|(name, _)| !is_first(name)));
    let file_of = |name: &String| {
        let part = if is_first(name) { 1 } else { 2 };
        (
            name.clone(),
            Value::String(format!("model-0000{part}-of-00002.safetensors")),
        )
    };
    let map: serde_json::Map<_, _> = tensors.keys().map(file_of).collect();
    let index = json!({ "metadata": {}, "weight_map": map });
    (
        first,
        second,
        serde_json::to_vec(&index).expect("it is JSON"),
    )
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn weights_in_parts_are_put_together() {
    let (first, second, index) = parts();
    let whole = open(&golden_folder()).await.expect("the fixture is sound");
    let mut files: Vec<(&str, &[u8])> = vec![
        ("model-00002-of-00002.safetensors", &second),
        ("tokenizer.json", GOLDEN_TOKENIZER),
        ("model-00001-of-00002.safetensors", &first),
        ("config.json", GOLDEN_CONFIG),
        ("model.safetensors.index.json", &index),
    ];
    for has_index in [true, false] {
        if !has_index {
            files.pop();
        }
        let checkpoint = open(&files).await.expect("all parts are there");
        assert_eq!(checkpoint.tensors(), whole.tensors());
        for info in checkpoint.tensors() {
            assert_eq!(
                checkpoint.tensor(&info.name).await,
                whole.tensor(&info.name).await
            );
        }
    }
    files.retain(|(name, _)| !name.contains("00001-of"));
    assert_refused(&files, "model-00001-of-00002.safetensors: it is missing").await;
    files.push(("model.safetensors.index.json", &index));
    assert_refused(&files, "model-00001-of-00002.safetensors: it is missing").await;
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn fields_that_may_be_left_out_have_defaults() {
    let config = config_with(|config| {
        let fields = config.as_object_mut().expect("it is an object");
        for name in [
            "rms_norm_eps",
            "rope_theta",
            "max_position_embeddings",
            "hidden_act",
            "rope_scaling",
        ] {
            fields.remove(name);
        }
        fields.insert(
            "rope_parameters".to_owned(),
            json!({ "rope_type": "default", "rope_theta": 500000.0 }),
        );
        fields.insert("head_dim".to_owned(), json!(8));
        fields.insert("_name_or_path".to_owned(), json!("someone/tiny-llama"));
    });
    let mut folder = golden_folder();
    folder[0].1 = &config;
    let checkpoint = open(&folder).await.expect("the config is sound");
    let config = checkpoint.config();
    assert_eq!((config.norm_eps, theta(config)), (1e-6, 500_000.0));
    assert_eq!(config.max_position_embeddings, 2048);
    assert_eq!(checkpoint.name(), "tiny-llama");
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn a_stored_copy_of_a_tied_head_is_ignored() {
    let mut tensors = golden_tensors();
    let table = tensors["model.embed_tokens.weight"].clone();
    tensors.insert("lm_head.weight".to_owned(), table);
    let frequencies = (Dtype::F32, vec![4], vec![0; 16]);
    tensors.insert(
        "model.layers.0.self_attn.rotary_emb.inv_freq".to_owned(),
        frequencies,
    );
    let bytes = write(&tensors);
    let mut folder = golden_folder();
    folder[1].1 = &bytes;
    let tied = open(&folder).await.expect("the file is sound");
    assert_eq!(tied.tensors().len(), golden_tensors().len());

    let untied = config_with(|config| config["tie_word_embeddings"] = json!(false));
    folder[0].1 = &untied;
    let untied = open(&folder).await.expect("the file is sound");
    assert_eq!(
        untied.tensors().last().map(|tensor| tensor.name.as_str()),
        Some("lm_head.weight")
    );
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn files_beside_the_tokenizer_name_special_tokens() {
    let tokenizer_config = json!({
        "bos_token": null,
        "eos_token": { "content": "<|endoftext|>", "special": true },
        "pad_token": "!",
        "chat_template": [
            { "name": "tools", "template": "no" },
            { "name": "default", "template": "{{ messages[0].content }}{{ eos_token }}" },
        ],
    });
    let tokenizer_config = serde_json::to_vec(&tokenizer_config).expect("it is JSON");
    let mut folder = golden_folder();
    folder.push(("tokenizer_config.json", &tokenizer_config));
    folder.push((
        "generation_config.json",
        br#"{ "eos_token_id": [0, 5, 99999] }"#,
    ));
    let checkpoint = open(&folder).await.expect("the files are sound");
    let tokenizer = checkpoint.tokenizer();
    assert_eq!(tokenizer.eos_ids(), [0, 5]);
    assert_eq!(tokenizer.pad_id(), Some(1));
    assert_eq!(
        tokenizer.chat_template(),
        Some("{{ messages[0].content }}{{ eos_token }}")
    );

    folder.push(("chat_template.jinja", b"{{ bos_token }}"));
    let checkpoint = open(&folder).await.expect("the files are sound");
    assert_eq!(
        checkpoint.tokenizer().chat_template(),
        Some("{{ bos_token }}")
    );

    let extras = TokenizerExtras::default();
    let alone = riemann_lora::load::Tokenizer::from_json(GOLDEN_TOKENIZER, &extras);
    let alone = alone.expect("the fixture is sound");
    assert_eq!(
        (alone.bos_id(), alone.eos_ids(), alone.chat_template()),
        (None, &[][..], None)
    );
}
