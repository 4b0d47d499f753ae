//! Adapters in PEFT's format.

use riemann_lora::{
    load::MemorySource,
    model::{Adapters, Base, Checkpoint, Target},
    optim::OptimizerSettings,
    peft::{self, Merged, Precision, SpecialTokens},
    train::Session,
};
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
    .unwrap()
    .adapters;
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
        // Older than PEFT's own note of its version.
        settings["peft_version"] = json!("0.21.2");
        settings
    };
    let (theirs, ours) = (settings(config), settings(&folder.config));
    for (key, value) in ours.as_object().unwrap() {
        assert_eq!(theirs[key], *value, "{key}");
    }
}

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
    .unwrap()
    .adapters;
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
        .filter(|t| t.part(model.config.architecture).is_some())
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

/// The model folder of run 1 merged into the base, read again.
async fn read_merged(fixture: Fixture, model: &Base, all: &Adapters) -> Base {
    let merged = Merged::new(model, all, 1, Precision::F32);
    let mut weights = merged.header().unwrap();
    let header = weights.len();
    for piece in 0..merged.pieces() {
        weights.extend(merged.piece(piece).await.unwrap());
    }
    assert_eq!((weights.len() - header) as u64, merged.bytes());
    let config = merged.config(&SpecialTokens::default()).unwrap();
    let files = [
        ("config.json", config.as_slice()),
        ("model.safetensors", &weights),
    ];
    let mut files = files
        .map(|(name, bytes)| MemorySource::new(name, bytes))
        .to_vec();
    files.push(fixture.tokenizer());
    let checkpoint = Checkpoint::open(files).await.unwrap();
    assert_eq!(checkpoint.config(), &model.config);
    Base::load(&checkpoint, &model.device, |_, _| true)
        .await
        .unwrap()
}

async fn a_merged_folder_is_the_base_with_the_adapter(fixture: Fixture) {
    let model = fixture.model().await;
    let two = adapters(fixture.adapter("adapter_random"), &model, 2);
    let again = read_merged(fixture, &model, &two).await;
    let apart = logits(fixture, &model, Some(&two.run(1))).await;
    let merged = logits(fixture, &again, None).await;
    let largest = apart
        .iter()
        .fold(0.0_f32, |largest, v| largest.max(v.abs()));
    assert!(difference(&apart, &merged) < 1e-4 * largest);
}

async fn runs_start_from_an_adapter(fixture: Fixture) {
    let model = fixture.model().await;
    let (config, weights) = fixture.adapter("adapter_random");
    let start = peft::read(config, weights, &model.config, &model.device)
        .unwrap()
        .adapters;
    let optimizers = vec![
        OptimizerSettings::adamw(1e-3),
        OptimizerSettings::scaled_adamw(1e-3),
    ];
    let settings = fixture.settings(optimizers);
    let session = Session::starting_from(&model, settings.clone(), &start).unwrap();
    let expected = logits(fixture, &model, Some(&start)).await;
    for run in 0..2 {
        let found = logits(fixture, &model, Some(&session.adapters().run(run))).await;
        assert_eq!(difference(&found, &expected), 0.0);
    }
    let mut other = settings;
    other.alpha = 4.0;
    let error = Session::starting_from(&model, other, &start).unwrap_err();
    assert_eq!(error.field().as_deref(), Some("alpha"));
    assert!(
        error.to_string().contains("starts from has 8")
            || error.to_string().contains("start from has 8")
    );
}

for_both!(
    an_adapter_survives_writing_and_reading,
    a_merged_folder_is_the_base_with_the_adapter,
    runs_start_from_an_adapter,
);

everywhere! {
    /// Not F32 alone: PEFT writes what the adapter was trained in.
    async fn an_adapter_in_half_precision_is_read() {
        let model = model().await;
        let (config, weights) = adapter!("adapter_random");
        let file = safetensors::SafeTensors::deserialize(weights).unwrap();
        let halves: Vec<(String, Vec<usize>, Vec<u8>)> = file
            .tensors()
            .into_iter()
            .map(|(name, view)| {
                let values = view.data().as_chunks::<4>().0.iter();
                let bytes = values.flat_map(|v| half::bf16::from_f32(f32::from_le_bytes(*v)).to_le_bytes());
                (name, view.shape().to_vec(), bytes.collect())
            })
            .collect();
        let views = halves.iter().map(|(name, shape, bytes)| {
            let view = safetensors::tensor::TensorView::new(safetensors::Dtype::BF16, shape.clone(), bytes);
            (name, view.unwrap())
        });
        let halves = safetensors::serialize(views, None).unwrap();
        let read = |weights: &[u8]| peft::read(config, weights, &model.config, &model.device).unwrap().adapters;
        for (x, y) in read(weights).banks().zip(read(&halves).banks()) {
            assert!(difference(&values(x.b.clone()).await, &values(y.b.clone()).await) < 4e-3);
        }
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
        let (mut deeper, mut shallower) = (model.config.clone(), model.config.clone());
        deeper.num_hidden_layers = 3;
        shallower.num_hidden_layers = 1;
        for (config, model, words) in [
            (text.replace("LORA", "IA3"), &model.config, "only LORA is read"),
            (text.replace("\"use_dora\": false", "\"use_dora\": true"), &model.config, "use_dora is true"),
            (text.replace("gate_proj", "c_attn"), &model.config, "gate_proj.lora_A.weight is of a module that adapter_config.json does not name"),
            (text.replace("\"r\": 4", "\"r\": 8"), &model.config, "needs [8, 32]"),
            (text.clone(), &other, "needs [4, 64]"),
            (text.clone(), &gpt2.config, "which is not one of this base's modules"),
            (
                text.replace("\"rank_pattern\": {}", "\"rank_pattern\": {\"layers.1.self_attn.q_proj\": 2}"),
                &model.config,
                "needs [2, 32]",
            ),
            ("{}".to_owned(), &model.config, "peft_type is missing"),
            (text.replace("\"r\": 4", "\"r\": 33"), &model.config, "its rank is 33"),
            (text.replace("\"bias\": \"none\"", "\"bias\": \"all\""), &model.config, "bias is \"all\""),
            (text.clone(), &deeper, "in 1 of this base's 3 layers"),
            (text.clone(), &shallower, "has no place in this base with its 1 layers"),
        ] {
            let found = peft::read(config.as_bytes(), weights, model, &crate::support::device().await);
            let error = found.unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}

/// Writes what `scripts/check-peft` and `scripts/check-llama-cpp` let PEFT, transformers and llama.cpp read: run 1 of
/// `all`, and the base with it. `gguf` is how llama.cpp's file has the base.
#[cfg(not(target_arch = "wasm32"))]
pub async fn write_for_other_programs(model: &Base, all: &Adapters, gguf: &Base, name: &str) {
    let files = peft::write(all, 1, &model.config, name, 0.0).await.unwrap();
    write_file(name, "adapter/adapter_config.json", files.config);
    write_file(name, "adapter/adapter_model.safetensors", files.weights);
    let merged = Merged::new(model, all, 1, Precision::F32);
    let mut weights = merged.header().unwrap();
    for piece in 0..merged.pieces() {
        weights.extend(merged.piece(piece).await.unwrap());
    }
    let config = merged.config(&SpecialTokens::default()).unwrap();
    write_file(name, "merged/config.json", config);
    write_file(name, "merged/model.safetensors", weights);
    for (file, precision) in [
        ("adapter.gguf", Precision::F32),
        ("adapter-f16.gguf", Precision::F16),
        ("adapter-bf16.gguf", Precision::Bf16),
    ] {
        let written = peft::write_gguf(all, 1, &gguf.config, name, precision).await;
        write_file(name, file, written.unwrap());
    }
}

/// A file of one of the folders that the scripts asked for.
#[cfg(not(target_arch = "wasm32"))]
pub fn write_file(name: &str, file: &str, bytes: Vec<u8>) {
    let folder = std::env::var_os("EXPORT_FOLDER").expect("the scripts set it");
    let path = std::path::Path::new(&folder).join(name).join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Random adapters of Llama and GPT-2, and our logits with them.
#[cfg(not(target_arch = "wasm32"))]
#[pollster::test]
#[ignore = "scripts/check-peft and scripts/check-llama-cpp run it"]
async fn files_for_other_programs() {
    let parts = [Target::QProj, Target::VProj, Target::DownProj];
    for (name, fixture, targets) in [
        ("llama", crate::support::LLAMA, &Target::LLAMA[..]),
        ("gpt2", GPT2, GPT2.targets),
        ("gpt2-parts", GPT2, &parts),
        ("llama-rslora", crate::support::LLAMA, &Target::LLAMA[..]),
        ("gpt2-rslora-parts", GPT2, &parts),
    ] {
        let model = fixture.model().await;
        let mut all = random_adapters(&model, targets, 2);
        if name.contains("rslora") {
            // At rank 4 this is the scale of the others.
            all.shape.use_rslora = true;
            all.shape.alpha = 4.0;
        }
        write_for_other_programs(&model, &all, &model, name).await;
        let logits = logits(fixture, &model, Some(&all.run(1))).await;
        write_file(name, "logits.json", serde_json::to_vec(&logits).unwrap());
    }
}
