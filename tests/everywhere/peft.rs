//! Adapters in PEFT's format.

use riemann_lora::{model::Target, peft};
use serde_json::{Value, json};

use crate::merge::logits;
use crate::support::{
    Fixture, GPT2, adapter, adapters, difference, for_both, model, random_adapters, values,
};

async fn an_adapter_survives_writing_and_reading(fixture: Fixture) {
    let model = fixture.model().await;
    let (config, weights) = fixture.adapter("adapter_random");
    let two = adapters((config, weights), &model, 2);
    let folder = peft::write(&two, 1, &model.config, "tiny", 0.0)
        .await
        .unwrap();
    let again = peft::read(
        &folder.config,
        &folder.weights,
        &model.config,
        &model.device,
    )
    .unwrap();
    assert_eq!(again.shape, two.shape);
    for (x, y) in again.banks().zip(two.run(1).banks()) {
        assert_eq!(
            difference(&values(x.a.clone()).await, &values(y.a.clone()).await),
            0.0
        );
        assert_eq!(
            difference(&values(x.b.clone()).await, &values(y.b.clone()).await),
            0.0
        );
    }
    let theirs = safetensors::SafeTensors::deserialize(weights).unwrap();
    let ours = safetensors::SafeTensors::deserialize(&folder.weights).unwrap();
    assert_eq!(ours.len(), theirs.len());
    for (name, view) in theirs.tensors() {
        assert_eq!(ours.tensor(&name).unwrap(), view, "{name}");
    }
    let settings = |bytes: &[u8]| {
        let mut settings: Value = serde_json::from_slice(bytes).unwrap();
        let modules = settings["target_modules"].as_array_mut().unwrap();
        modules.sort_by_key(Value::to_string);
        settings["lora_alpha"] = json!(settings["lora_alpha"].as_f64());
        settings
    };
    let (theirs, ours) = (settings(config), settings(&folder.config));
    for (key, value) in ours.as_object().unwrap() {
        assert_eq!(theirs[key], *value, "{key}");
    }
}

for_both!(an_adapter_survives_writing_and_reading);

/// Writes run 1 of two, reads it back and compares: settings as expected, and equal logits.
async fn check_fused(targets: &[Target], expected: Value, rank: usize, read: &[Target]) {
    let model = GPT2.model().await;
    let two = random_adapters(&model, targets, 2);
    let folder = peft::write(&two, 1, &model.config, "tiny", 0.0)
        .await
        .unwrap();
    let settings: Value = serde_json::from_slice(&folder.config).unwrap();
    assert_eq!(settings["fan_in_fan_out"], true);
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(settings[key], *value, "{key}");
    }
    let again = peft::read(
        &folder.config,
        &folder.weights,
        &model.config,
        &model.device,
    )
    .unwrap();
    assert_eq!((again.shape.rank, again.shape.scale()), (rank, 2.0));
    assert_eq!(again.shape.targets, read);
    let before = logits(GPT2, &model, Some(&two.run(1))).await;
    let after = logits(GPT2, &model, Some(&again)).await;
    let largest = before
        .iter()
        .fold(0.0_f32, |largest, v| largest.max(v.abs()));
    assert!(difference(&before, &after) < 1e-5 * largest);
    let base = logits(GPT2, &model, None).await;
    assert!(difference(&before, &base) > 0.1 * largest);

    let file = safetensors::SafeTensors::deserialize(&folder.weights).unwrap();
    let parts = targets
        .iter()
        .filter(|t| t.part(&model.config.architecture).is_some())
        .count();
    if parts > 0 {
        let name = "base_model.model.transformer.h.1.attn.c_attn.lora_";
        let shape = |factor| {
            file.tensor(&format!("{name}{factor}.weight"))
                .unwrap()
                .shape()
                .to_vec()
        };
        assert_eq!(shape("A"), [4 * parts, 32]);
        assert_eq!(shape("B"), [96, 4 * parts]);
    }
}

everywhere! {
    /// With one rank for all modules there are no patterns.
    async fn parts_alone_leave_as_one_adapter_of_the_fused_layer() {
        let whole = [Target::CAttn];
        check_fused(&[Target::QProj], json!({ "r": 4, "lora_alpha": 8.0, "rank_pattern": {} }), 4, &whole).await;
        let expected = json!({
            "r": 8, "lora_alpha": 16.0, "target_modules": ["c_attn"], "rank_pattern": {}, "alpha_pattern": {},
        });
        check_fused(&[Target::QProj, Target::VProj], expected, 8, &whole).await;
        let all = [Target::QProj, Target::KProj, Target::VProj];
        check_fused(&all, json!({ "r": 12, "lora_alpha": 24.0 }), 12, &whole).await;
    }
}

everywhere! {
    async fn parts_beside_whole_layers_leave_with_patterns() {
        let targets = [Target::QProj, Target::VProj, Target::OProj, Target::UpProj, Target::DownProj];
        let expected = json!({
            "r": 4,
            "lora_alpha": 8.0,
            "rank_pattern": { "attn.c_attn": 8 },
            "alpha_pattern": { "attn.c_attn": 16.0 },
            "target_modules": ["c_attn", "c_proj", "c_fc"],
        });
        let read = [Target::OProj, Target::UpProj, Target::DownProj, Target::CAttn];
        check_fused(&targets, expected, 8, &read).await;
    }
}

everywhere! {
    /// PEFT's c_proj is two modules of a GPT-2.
    async fn one_c_proj_is_named_with_its_parent() {
        for (target, name) in [(Target::OProj, "attn.c_proj"), (Target::DownProj, "mlp.c_proj")] {
            check_fused(&[target], json!({ "target_modules": [name] }), 4, &[target]).await;
        }
    }
}

everywhere! {
    async fn what_does_not_fit_says_why() {
        let model = model().await;
        let (config, weights) = adapter!("adapter_random");
        let text = String::from_utf8(config.to_vec()).unwrap();
        let gpt2 = GPT2.model().await;
        let mut other = model.config.clone();
        other.hidden_size = 64;
        for (config, model, words) in [
            (text.replace("LORA", "IA3"), &model.config, "use LORA"),
            (text.replace("\"use_dora\": false", "\"use_dora\": true"), &model.config, "use_dora is set"),
            (text.replace("gate_proj", "c_attn"), &model.config, "c_attn is not one"),
            (text.replace("\"r\": 4", "\"r\": 8"), &model.config, "needs F32 [8, 32]"),
            (text.clone(), &other, "needs F32 [4, 64]"),
            (text.clone(), &gpt2.config, "target module"),
            (text.replace("\"fan_in_fan_out\": false", "\"fan_in_fan_out\": true"), &model.config, "fan_in_fan_out is set"),
            (
                text.replace("\"alpha_pattern\": {}", "\"alpha_pattern\": {\"q_proj\": 16}"),
                &model.config,
                "the scale alpha / r of self_attn.",
            ),
            (
                text.replace("\"rank_pattern\": {}", "\"rank_pattern\": {\"layers.1.self_attn.q_proj\": 2}"),
                &model.config,
                "the pattern layers.1.self_attn.q_proj names no module",
            ),
            ("{}".to_owned(), &model.config, "missing field"),
        ] {
            let found = peft::read(config.as_bytes(), weights, model, &crate::support::device().await);
            let error = found.unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
