//! Configs and weights that say things twice, say too much, or are not there.

use burn::tensor::{Int, Tensor, TensorData};
use riemann_lora::{
    load::MemorySource,
    model::{Base, Checkpoint, Context, split::ranges},
};
use serde_json::Value;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{case, checkpoint, expected, numbers};
use crate::support::{device, values};

async fn error_of(own: &[(&str, &[u8])]) -> String {
    match checkpoint(own).await {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Checks the logits of the first tokens of the vocabulary at the last position.
async fn assert_logits(checkpoint: &Checkpoint<MemorySource>, expected: &Value, what: &str) {
    let device = device().await;
    let model = Base::load(checkpoint, &device, |_, _| true).await.unwrap();
    let ids: Vec<i32> = numbers(&expected["ids"])
        .into_iter()
        .map(|id| id as i32)
        .collect();
    let tokens = ids.len();
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [1, tokens]), &model.device);
    let logits = model.logits(model.normalise(model.forward(ids, Context::default())));
    let logits = values(logits).await;
    let last = &logits[logits.len() - model.config.vocab_size..];
    let right = expected["last_position_logits_of_ids_0_to_7"]
        .as_array()
        .unwrap();
    for (found, right) in last.iter().zip(right) {
        let error = (f64::from(*found) - right.as_f64().unwrap()).abs();
        assert!(
            error < expected["tolerance"].as_f64().unwrap(),
            "{what}: {found} {right}"
        );
    }
}

everywhere! {
    async fn class_17_of_two_bases_of_positions_the_newer_name_counts() {
        let expected = expected(case!("17-rope-conflict/expected.json"));
        let opened = checkpoint(&[("config.json", case!("17-rope-conflict/config.json"))]).await.unwrap();
        assert_eq!(opened.notices().len(), 1);
        assert!(opened.notices()[0].contains("rope_theta is 10000, and 100000 in rope_parameters"));
        assert_logits(&opened, &expected["logits"], "rope_parameters").await;

        let text = error_of(&[("config.json", case!("17-rope-conflict/text/config.json"))]).await;
        assert!(text.contains("rope_theta is \"100000\", not a number"), "{text}");
    }
}

everywhere! {
    async fn class_22_a_pointer_to_a_file_is_called_one() {
        let pointer = case!("22-safetensors/lfs-pointer");
        for name in ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"] {
            let error = error_of(&[(name, pointer)]).await;
            assert!(error.starts_with(&format!("{name}: it is a pointer of Git LFS")), "{error}");
        }
        let gguf = Checkpoint::open(vec![MemorySource::new("model.gguf", pointer)]).await;
        let error = gguf.unwrap_err().to_string();
        assert!(error.starts_with("model.gguf: it is a pointer of Git LFS"), "{error}");
    }
}

everywhere! {
    async fn class_22_tensors_that_no_model_needs_are_left_where_they_are() {
        let expected = expected(case!("22-safetensors/expected.json"));
        let opened = checkpoint(&[("model.safetensors", case!("22-safetensors/unneeded.safetensors"))]).await.unwrap();
        let [notice] = opened.notices() else { panic!("{:?}", opened.notices()) };
        assert!(notice.contains("model.position_ids"), "{notice}");
        assert!(notice.ends_with("and were passed over."), "{notice}");
        assert_logits(&opened, &expected["unneeded.safetensors"], "unneeded.safetensors").await;
    }
}

everywhere! {
    async fn class_22_a_head_of_its_own_is_used() {
        let expected = expected(case!("22-safetensors/expected.json"));
        let opened = checkpoint(&[("model.safetensors", case!("22-safetensors/other-head.safetensors"))]).await.unwrap();
        assert!(!opened.config().tie_word_embeddings);
        let [notice] = opened.notices() else { panic!("{:?}", opened.notices()) };
        assert!(notice.starts_with("lm_head.weight is not the embedding table"), "{notice}");
        assert_logits(&opened, &expected["other-head.safetensors"], "other-head.safetensors").await;
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn class_29_a_table_that_a_gpu_cannot_bind_is_split_into_parts_that_it_binds() {
    let parts = ranges(150_016, 256, Some(134_217_728));
    assert_eq!(parts, [0..75_008, 75_008..150_016]);
    assert_eq!(ranges(150_016, 256, Some(153_616_384)).len(), 1);
    // The CPU has no limit.
    assert_eq!(ranges(150_016, 256, None).len(), 1);
}
