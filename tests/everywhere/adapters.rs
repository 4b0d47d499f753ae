//! Adapters of others: what PEFT and MLX write, and what is refused by its name.

use burn::tensor::{Int, Tensor, TensorData};
use riemann_lora::{
    load::MemorySource,
    model::{Adapters, Base, Checkpoint, Context, Target},
    optim::OptimizerSettings,
    peft::{self, PeftError, ReadAdapter},
    train::{Session, SessionSettings},
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::{Value, json};

use crate::support::{LLAMA, device, difference, model, settings, values};

/// The two files of an adapter that PEFT wrote, by `tests/fixtures/adapters/make_adapters.py`.
macro_rules! written {
    ($($name:literal),* $(,)?) => {
        [$((
            $name,
            include_bytes!(concat!("../fixtures/adapters/", $name, "/adapter_config.json")).as_slice(),
            include_bytes!(concat!("../fixtures/adapters/", $name, "/adapter_model.safetensors")).as_slice(),
        )),*]
    };
}

/// A file of `tests/fixtures/cases`.
macro_rules! case {
    ($path:literal) => {
        include_bytes!(concat!("../fixtures/cases/", $path)).as_slice()
    };
}

const ROWS: usize = 2;
const SHOWN: usize = 40;

async fn logits(model: &Base, adapters: Option<&Adapters>, ids: &[Vec<i32>]) -> Vec<Vec<f32>> {
    let shape = [ids.len(), ids[0].len()];
    let data = TensorData::new(ids.concat(), shape);
    let ids = Tensor::<2, Int>::from_data(data, &model.device);
    let context = Context {
        adapters,
        ..Context::default()
    };
    let all = values(model.logits(model.normalise(model.forward(ids, context)))).await;
    let row = all.len() / shape[0];
    let last = row / shape[1];
    let rows = all.chunks_exact(row);
    rows.map(|row| row[row.len() - last..].to_vec()).collect()
}

fn read(config: &[u8], weights: &[u8], model: &Base) -> Result<ReadAdapter, PeftError> {
    peft::read(config, weights, &model.config, &model.device)
}

/// The settings of PEFT's plainest adapter with some of them changed.
fn changed(changes: Value) -> Vec<u8> {
    let [(_, config, _)] = written!["half"];
    let mut config: Value = serde_json::from_slice(config).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    serde_json::to_vec(&config).unwrap()
}

fn refusal(config: &[u8], weights: &[u8], model: &Base) -> String {
    read(config, weights, model).unwrap_err().to_string()
}

everywhere! {
    async fn what_peft_computes_is_computed() {
        let model = model().await;
        let golden: Value =
            serde_json::from_slice(include_bytes!("../fixtures/adapters/logits.json")).unwrap();
        let ids = LLAMA.golden().batches[0].ids.clone();
        let base = logits(&model, None, &ids).await;
        for (name, config, weights) in written![
            "rslora", "patterns", "rslora-patterns", "regex", "layers", "one-layer", "all-linear", "excluded", "half",
        ] {
            let adapter = read(config, weights, &model).unwrap();
            let found = logits(&model, Some(&adapter.adapters), &ids).await;
            let expected: Vec<f32> = serde_json::from_value(golden[name].clone()).unwrap();
            let largest = expected.iter().fold(0.0_f32, |largest, v| largest.max(v.abs()));
            let shown = |rows: &[Vec<f32>]| -> Vec<f32> { rows.iter().flat_map(|row| row[..SHOWN].to_vec()).collect() };
            let (found, base) = (shown(&found), shown(&base));
            assert_eq!(found.len(), ROWS * SHOWN);
            let error = difference(&found, &expected) / largest;
            assert!(error < 1e-5, "{name}: {error}");
            assert!(difference(&base, &expected) > 0.01 * largest, "{name}");
        }
    }
}

everywhere! {
    async fn what_was_matched_and_changed_is_said() {
        let model = model().await;
        let of = |(_, config, weights): (&str, &[u8], &[u8])| read(config, weights, &model).unwrap();
        let [patterns, rslora, layers, half] = written!["patterns", "rslora", "layers", "half"];
        let found = of(patterns);
        assert_eq!((found.tensors, found.layers, found.adapters.shape.rank), (12, 2, 6));
        assert_eq!(found.base.as_deref(), Some("org/tiny"));
        let words = found.notices.join("\n");
        assert!(words.contains("all have the largest here, 6"), "{words}");
        assert!(words.contains("lora_B of self_attn."), "{words}");
        let found = of(rslora);
        assert!(found.adapters.shape.use_rslora);
        assert_eq!((found.adapters.shape.alpha, found.adapters.shape.scale()), (8.0, 4.0));
        assert!(found.notices.is_empty());
        let found = of(layers);
        assert_eq!((found.tensors, found.layers), (4, 1));
        let found = of(half);
        assert_eq!((found.tensors, found.layers, found.notices.len()), (8, 2, 0));
        let mut named = changed(json!({ "target_modules": ["q_proj", "v_proj", "query_key_value"], "new_thing": 7 }));
        named.splice(0..0, *b"\xEF\xBB\xBF");
        let words = read(&named, half.2, &model).unwrap().notices.join("\n");
        assert!(words.contains("new_thing = 7"), "{words}");
        assert!(words.contains("target_modules names query_key_value"), "{words}");
    }
}

everywhere! {
    /// Modules of another rank, and blocks without an adapter, stay so while all is trained.
    async fn zeros_stay_zeros_in_training() {
        let model = model().await;
        let [(_, config, weights), (_, other_config, other_weights)] = written!["layers", "patterns"];
        for (config, weights) in [(config, weights), (other_config, other_weights)] {
            let start = read(config, weights, &model).unwrap().adapters;
            let wanted = SessionSettings {
                rank: start.shape.rank as u32,
                alpha: start.shape.alpha,
                targets: start.shape.targets.clone(),
                ..settings(vec![OptimizerSettings::adamw(1e-2), OptimizerSettings::scaled_adamw(1e-2)])
            };
            let mut session = Session::starting_from(&model, wanted, &start).unwrap();
            for batch in &LLAMA.golden().batches[..3] {
                session.step(&model, &batch.batch()).await.unwrap();
            }
            let mut moved = false;
            for (before, after) in start.banks().zip(session.adapters().banks()) {
                for (before, after) in [(&before.a, &after.a), (&before.b, &after.b)] {
                    let before = values(before.clone().repeat_dim(0, 2)).await;
                    let after = values(after.clone()).await;
                    for (before, after) in before.iter().zip(after) {
                        assert!(*before != 0.0 || after == 0.0, "{after}");
                        moved |= *before != after;
                    }
                }
            }
            assert!(moved);
        }
    }
}

everywhere! {
    async fn a_training_with_rslora_begins_and_leaves_with_its_scale() {
        let model = model().await;
        let wanted = |use_rslora| SessionSettings {
            alpha: 6.0,
            use_rslora,
            targets: vec![Target::QProj, Target::VProj],
            ..settings(vec![OptimizerSettings::adamw(1e-2)])
        };
        let batch = LLAMA.golden().batches[0].batch();
        let mut session = Session::new(&model, wanted(true)).unwrap();
        // alpha / √4 is twice as much of alpha / 4.
        let twice = SessionSettings { alpha: 12.0, ..wanted(false) };
        let mut same = Session::new(&model, twice).unwrap();
        for _ in 0..3 {
            let one = session.step(&model, &batch).await.unwrap();
            let other = same.step(&model, &batch).await.unwrap();
            assert_eq!(one.runs[0].loss, other.runs[0].loss);
        }
        let trained = session.adapter(0).unwrap();
        assert_eq!(trained.shape.scale(), 3.0);
        let files = peft::write(&trained, 0, &model.config, "org/base", 0.0).await.unwrap();
        let config: Value = serde_json::from_slice(&files.config).unwrap();
        assert_eq!(config["use_rslora"], true);
        assert_eq!((&config["lora_alpha"], &config["r"]), (&json!(6.0), &json!(4)));
        let again = read(&files.config, &files.weights, &model).unwrap().adapters;
        assert_eq!(again.shape, trained.shape);
        let error = Session::starting_from(&model, wanted(false), &again).unwrap_err();
        assert_eq!(error.field().as_deref(), Some("use_rslora"));
    }
}

async fn base_of_the_cases() -> Base {
    let files = [
        ("config.json", case!("_base/config.json")),
        ("model.safetensors", case!("_base/model.safetensors")),
        ("tokenizer.json", case!("_base/tokenizer.json")),
    ];
    let files = files.map(|(name, bytes)| MemorySource::new(name, bytes));
    let checkpoint = Checkpoint::open(files.into()).await.unwrap();
    Base::load(&checkpoint, &device().await, |_, _| true)
        .await
        .unwrap()
}

everywhere! {
    async fn class_20_all_forms_of_names_are_the_same_adapter() {
        let model = base_of_the_cases().await;
        let expected: Value = serde_json::from_slice(case!("20-adapter-keys/expected.json")).unwrap();
        let right = &expected["plain, default, no-prefix, doubled"];
        let ids: Vec<i32> = serde_json::from_value(right["ids"].clone()).unwrap();
        let logits_of = |key: &Value| -> Vec<f32> { serde_json::from_value(key.clone()).unwrap() };
        let right = logits_of(&right["last_position_logits_of_ids_0_to_7"]);
        let base = logits(&model, None, std::slice::from_ref(&ids)).await;
        assert!(difference(&base[0][..8], &logits_of(&expected["base without adapter"])) < 1e-4);
        let config = case!("20-adapter-keys/adapter_config.json");
        for (name, weights) in [
            ("plain", case!("20-adapter-keys/plain.safetensors")),
            ("default", case!("20-adapter-keys/default.safetensors")),
            ("no-prefix", case!("20-adapter-keys/no-prefix.safetensors")),
            ("doubled", case!("20-adapter-keys/doubled.safetensors")),
            ("language-model", case!("20-adapter-keys/language-model.safetensors")),
            ("mlx", case!("20-adapter-keys/mlx.safetensors")),
        ] {
            let adapter = read(config, weights, &model).unwrap();
            assert_eq!(adapter.tensors, 8);
            let found = logits(&model, Some(&adapter.adapters), std::slice::from_ref(&ids)).await;
            assert!(difference(&found[0][..8], &right) < 1e-4, "{name}");
        }
        // MLX's own settings: the scale is what it is, and the file says what is adapted.
        let config = json!({
            "fine_tune_type": "lora", "num_layers": 2, "model": "org/base",
            "lora_parameters": { "rank": 2, "scale": 2.0, "dropout": 0.0 }, "iters": 100,
        });
        let config = serde_json::to_vec(&config).unwrap();
        let adapter = read(&config, case!("20-adapter-keys/mlx.safetensors"), &model).unwrap();
        let found = logits(&model, Some(&adapter.adapters), std::slice::from_ref(&ids)).await;
        assert!(difference(&found[0][..8], &right) < 1e-4);
        assert_eq!(adapter.base.as_deref(), Some("org/base"));
    }
}

everywhere! {
    async fn class_20_a_file_that_does_not_match_says_how_much_did() {
        let model = base_of_the_cases().await;
        let config = case!("20-adapter-keys/adapter_config.json");
        let words = refusal(config, case!("20-adapter-keys/half.safetensors"), &model);
        assert!(words.contains("4 of 8 tensors matched"), "{words}");
        assert!(words.contains("in 1 of this base's 2 layers, the first is base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight"), "{words}");
        let words = refusal(config, case!("20-adapter-keys/nothing-matches.safetensors"), &model);
        assert!(words.contains("0 of 8 tensors matched"), "{words}");
        assert!(words.contains("x.0"), "{words}");
        // Settings of one module less than the file has.
        let less = String::from_utf8(config.to_vec()).unwrap().replace("\"q_proj\",", "");
        let words = refusal(less.as_bytes(), case!("20-adapter-keys/plain.safetensors"), &model);
        assert!(words.contains("4 of 8 tensors matched") && words.contains("q_proj"), "{words}");
    }
}

everywhere! {
    async fn what_is_not_computed_is_refused_by_its_name() {
        let model = model().await;
        let [(_, _, weights)] = written!["half"];
        for (changes, words) in [
            (json!({ "use_dora": true }), "use_dora is true"),
            (json!({ "modules_to_save": ["lm_head"] }), "modules_to_save is [\"lm_head\"]"),
            (json!({ "bias": "lora_only" }), "bias is \"lora_only\""),
            (json!({ "init_lora_weights": "pissa" }), "init_lora_weights is \"pissa\""),
            (json!({ "init_lora_weights": "pissa_niter_16" }), "path_initial_model_for_weight_conversion"),
            (json!({ "init_lora_weights": "olora" }), "init_lora_weights is \"olora\""),
            (json!({ "init_lora_weights": "corda" }), "init_lora_weights is \"corda\""),
            (json!({ "init_lora_weights": "loftq" }), "init_lora_weights is \"loftq\""),
            (json!({ "init_lora_weights": "lora_ga" }), "init_lora_weights is \"lora_ga\""),
            (json!({ "init_lora_weights": "magic" }), "init_lora_weights is \"magic\""),
            (json!({ "layer_replication": [[0, 2], [1, 2]] }), "layer_replication is"),
            (json!({ "alora_invocation_tokens": [5, 6] }), "alora_invocation_tokens is"),
            // PEFT does not merge these.
            (json!({ "alora_invocation_tokens": [5, 6] }), "cannot be merged into its base either, so use"),
            (json!({ "arrow_config": { "top_k": 3 } }), "cannot be merged into its base either, so use"),
            (json!({ "trainable_token_indices": [0] }), "trainable_token_indices is [0]"),
            (json!({ "target_parameters": ["mlp.experts"] }), "target_parameters is"),
            (json!({ "lora_bias": true }), "lora_bias is true"),
            (json!({ "use_qalora": true }), "cannot be merged into its base either, so use"),
            (json!({ "use_something_new": true }), "use_something_new is true"),
            (json!({ "peft_type": "IA3" }), "peft_type is IA3, and only LORA"),
            (json!({ "peft_type": null }), "peft_type is missing"),
            (json!({ "r": 0 }), "r is 0; it must be a whole number, 1 or more"),
            (json!({ "r": 2.5 }), "r is 2.5"),
            (json!({ "r": null }), "r is missing"),
            (json!({ "r": 1_000_000_000_000_u64 }), "its rank is 1000000000000"),
            (json!({ "lora_alpha": 0 }), "lora_alpha is 0; it must be a number above 0"),
            (json!({ "lora_alpha": -4 }), "lora_alpha is -4"),
            (json!({ "lora_alpha": 1e39 }), "lora_alpha is 1e+39"),
            (json!({ "lora_alpha": "16" }), "lora_alpha is \"16\""),
            (json!({ "target_modules": [] }), "target_modules is empty"),
            (json!({ "target_modules": null }), "target_modules is missing"),
            (json!({ "target_modules": 5 }), "target_modules is 5; it must be a list of names"),
            (json!({ "target_modules": "(" }), "target_modules has the regular expression"),
            (json!({ "target_modules": "nothing" }), "mean none of this base's modules"),
            (json!({ "target_modules": ["c_attn"] }), "target_modules names c_attn, which is not one of this base's"),
            (json!({ "layers_to_transform": [2] }), "layers_to_transform names layer 2, and this base has 2"),
            (json!({ "layers_to_transform": "all" }), "layers_to_transform is \"all\""),
            (json!({ "rank_pattern": { "q_proj": -1 } }), "rank_pattern.q_proj is -1"),
            (json!({ "alpha_pattern": { "q_proj": 0 } }), "alpha_pattern.q_proj is 0"),
            (json!({ "use_rslora": 1 }), "use_rslora is 1, not true or false"),
        ] {
            let found = refusal(&changed(changes.clone()), weights, &model);
            assert!(found.contains(words), "{changes}: {found}");
            // Every one has a way out.
            assert!(found.contains(';') || found.contains("merge"), "{found}");
        }
        let found = refusal(b"{\"r\": ", weights, &model);
        assert!(found.contains("take the file that was saved beside the weights"), "{found}");
    }
}

/// The plainest adapter with one tensor more or another in place of one of its own.
fn with(name: &str, shape: Vec<usize>, values: &[f32]) -> Vec<u8> {
    let [(_, _, weights)] = written!["half"];
    let file = SafeTensors::deserialize(weights).unwrap();
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let mut views: Vec<(String, TensorView<'_>)> = file.tensors();
    views.retain(|(other, _)| other != name);
    views.push((
        name.to_owned(),
        TensorView::new(Dtype::F32, shape, &bytes).unwrap(),
    ));
    safetensors::serialize(views, None).unwrap()
}

everywhere! {
    async fn a_wrong_tensor_is_named() {
        let model = model().await;
        let [(_, config, _)] = written!["half"];
        let q = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
        let mut values = vec![0.5_f32; 2 * 32];
        values[3] = f32::NAN;
        let infinite = [f32::INFINITY; 64];
        let fine = [0.5_f32; 64];
        for (name, shape, values, words) in [
            (q, vec![2, 32], &values[..], "q_proj.lora_A.weight has the value NaN"),
            (q, vec![2, 32], &infinite, "q_proj.lora_A.weight has the value inf"),
            (q, vec![4, 16], &fine, "q_proj.lora_A.weight is [4, 16], and this base with the rank of the settings needs [2, 32]"),
            ("base_model.model.lm_head.lora_A.weight", vec![2, 32], &fine, "adapts the embedding or the head"),
            ("base_model.model.model.embed_tokens.lora_embedding_A", vec![2, 32], &fine, "adapts the embedding or the head"),
            ("base_model.model.lm_head.weight", vec![2, 32], &fine, "lm_head.weight is no LoRA factor"),
            ("base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector", vec![64], &fine, "belongs to DoRA"),
            ("base_model.model.model.layers.7.self_attn.q_proj.lora_A.weight", vec![2, 32], &fine, "with its 2 layers"),
            ("vision_tower.layers.0.self_attn.q_proj.lora_A.weight", vec![2, 32], &fine, "has no place in this base"),
            ("model.layers.0.self_attn.q_proj.lora_A.weight", vec![2, 32], &fine, "are the same factor"),
        ] {
            let found = refusal(config, &with(name, shape, values), &model);
            assert!(found.contains(words), "{name}: {found}");
        }
        let found = refusal(config, b"\x80\x02PK", &model);
        assert!(found.starts_with("adapter_model.safetensors"), "{found}");
    }
}
