//! Every family of models against transformers, PEFT and torch, from a folder and from a GGUF file.

use burn::tensor::{Int, Tensor, TensorData};
use riemann_lora::{
    kernel::ProductPrecision,
    load::MemorySource,
    model::{Adapters, Base, Checkpoint, Context, ModelConfig},
    optim::OptimizerSettings,
    train::{
        Session,
        gradients::{Pass, PassSettings},
        labels::count,
    },
};
use serde::Deserialize;

#[cfg(not(any(target_arch = "wasm32", feature = "webgpu")))]
use crate::support::random_adapters;
use crate::support::{
    GoldenBase, GoldenBatch, GoldenGradients, adapters, device, norm, settings, values,
};
#[cfg(not(feature = "webgpu"))]
use {
    crate::support::difference,
    riemann_lora::{
        generate::{Generator, SampleSettings},
        peft::{self, Merged, Precision, SpecialTokens},
    },
};

const TOKENIZER: &[u8] = include_bytes!("../fixtures/golden/tokenizer.json");

/// The golden files of one family.
struct Family {
    config: &'static [u8],
    weights: &'static [u8],
    #[cfg_attr(feature = "webgpu", allow(dead_code))]
    gguf: &'static [u8],
    adapter: (&'static [u8], &'static [u8]),
    golden: &'static [u8],
    /// What the GGUF file cannot say, taken from the folder's config.
    #[cfg_attr(feature = "webgpu", allow(dead_code))]
    beside_gguf: fn(&mut ModelConfig, &ModelConfig),
}

#[derive(Debug, Deserialize)]
struct Golden {
    batches: Vec<GoldenBatch>,
    base: GoldenBase,
    adapter_random: GoldenGradients,
    adamw: Losses,
    scaled_adamw: Losses,
}

/// Losses before each step, and after the last one.
#[derive(Debug, Deserialize)]
struct Losses {
    losses: Vec<f64>,
}

impl Family {
    fn golden(&self) -> Golden {
        serde_json::from_slice(self.golden).unwrap()
    }

    async fn folder(&self) -> Checkpoint<MemorySource> {
        let files = [
            ("config.json", self.config),
            ("model.safetensors", self.weights),
            ("tokenizer.json", TOKENIZER),
        ];
        let files = files.map(|(name, bytes)| MemorySource::new(name, bytes));
        Checkpoint::open(files.into()).await.unwrap()
    }

    async fn model(&self) -> Base {
        load(&self.folder().await).await
    }

    /// The model of the GGUF file, with what that cannot say from the `folder`'s.
    #[cfg(not(feature = "webgpu"))]
    async fn model_of_gguf(&self, folder: &Base) -> Base {
        let source = MemorySource::new("model.gguf", self.gguf);
        let checkpoint = Checkpoint::open(vec![source]).await.unwrap();
        let mut model = load(&checkpoint).await;
        (self.beside_gguf)(&mut model.config, &folder.config);
        model
    }

    fn adapters(&self, model: &Base, runs: usize) -> Adapters {
        adapters(self.adapter, model, runs)
    }
}

async fn load(checkpoint: &Checkpoint<MemorySource>) -> Base {
    let device = device().await;
    Base::load(checkpoint, &device, |_, _| true).await.unwrap()
}

async fn logits(model: &Base, adapters: Option<&Adapters>, batch: &GoldenBatch) -> Vec<f32> {
    let batch = batch.batch();
    let data = TensorData::new(batch.ids, [batch.rows, batch.tokens]);
    let ids = Tensor::<2, Int>::from_data(data, &model.device);
    let context = Context {
        adapters,
        ..Context::default()
    };
    values(model.logits(model.normalise(model.forward(ids, context)))).await
}

async fn logits_and_loss_are_those_of_transformers(family: Family) {
    let (golden, model) = (family.golden(), family.model().await);
    let batch = &golden.batches[0];
    let (vocab, tokens) = (model.config.vocab_size, batch.ids[0].len());
    let logits = logits(&model, None, batch).await;
    let (mut largest, mut error) = (0.0_f64, 0.0_f64);
    for (row, rows) in golden.base.logits.iter().enumerate() {
        for (expected, position) in rows.iter().zip(&golden.base.logits_positions) {
            let start = (row * tokens + position) * vocab;
            for (expected, found) in expected.iter().zip(&logits[start..start + vocab]) {
                largest = largest.max(expected.abs());
                error = error.max((expected - f64::from(*found)).abs());
            }
        }
    }
    assert!(largest > 0.1, "{largest}");
    assert!(error / largest < 1e-4, "{error} of {largest}");

    let start = Adapters::new(
        &model.config,
        family.adapters(&model, 1).shape,
        1,
        0,
        &model.device,
    );
    let optimizer = vec![OptimizerSettings::adamw(1e-2)];
    let session = Session::with_adapters(&model, settings(optimizer), start);
    let losses = session.evaluate(&model, &batch.batch()).await.unwrap();
    let loss = losses.sums[0] / losses.count as f64;
    let expected = golden.base.loss;
    assert!((loss - expected).abs() < 1e-4, "{loss} {expected}");
}

async fn gradients_are_those_of_torch(family: Family) {
    let (golden, model) = (family.golden(), family.model().await);
    let adapters = family.adapters(&model, 1);
    let batch = golden.batches[0].batch();
    let targets = &adapters.shape.targets;
    let architecture = model.config.architecture;
    for gradient_checkpointing in [false, true] {
        let settings = PassSettings {
            dropout: None,
            whole: count(&batch),
            precision: ProductPrecision::Single,
            gradient_checkpointing,
        };
        let pass = Pass::forward(&model, &adapters, &batch, settings).unwrap();
        let losses = values(pass.losses.clone()).await;
        let loss = losses.iter().map(|&v| f64::from(v)).sum::<f64>() / losses.len() as f64;
        let expected = golden.adapter_random.loss;
        assert!((loss - expected).abs() < 1e-4, "{loss} {expected}");

        let found = pass.backward().banks;
        assert_eq!(found.len(), golden.adapter_random.grads.len());
        for (index, bank) in found.iter().enumerate() {
            let (layer, target) = (index / targets.len(), targets[index % targets.len()]);
            let block = architecture.block_name(layer);
            let module = target.module(architecture).unwrap();
            let key = format!("base_model.model.{block}.{module}.lora_A.default.weight");
            let expected = &golden.adapter_random.grads[&key];
            for (tensor, size, first) in [
                (bank.a.clone(), expected.a_norm, &expected.a),
                (bank.b.clone(), expected.b_norm, &expected.b),
            ] {
                let values: Vec<f64> = values(tensor).await.into_iter().map(f64::from).collect();
                let found = norm(values.iter().copied());
                assert!((found - size).abs() < 1e-3 * size, "{key}: {found} {size}");
                let error = norm(values.iter().zip(first).map(|(x, y)| x - y));
                let bound = 1e-3 * norm(first.iter().copied());
                assert!(error < bound, "{key}: {error} above {bound}");
            }
        }
    }
}

async fn steps_are_those_of_torch(family: Family) {
    let model = family.model().await;
    check_steps(&family, &model).await;
}

#[cfg(not(feature = "webgpu"))]
async fn steps_from_a_gguf_file_are_those_of_torch(family: Family) {
    let model = family.model_of_gguf(&family.model().await).await;
    check_steps(&family, &model).await;
}

/// Losses of training `model` against the golden ones.
async fn check_steps(family: &Family, model: &Base) {
    let golden = family.golden();
    let plain = OptimizerSettings {
        weight_decay: 0.0,
        ..OptimizerSettings::adamw(1e-2)
    };
    let scaled = OptimizerSettings {
        weight_decay: 0.0,
        ..OptimizerSettings::scaled_adamw(1e-2)
    };
    let start = family.adapters(model, 2);
    let targets = start.shape.targets.clone();
    let settings = riemann_lora::train::SessionSettings {
        targets,
        ..settings(vec![plain, scaled])
    };
    let mut session = Session::with_adapters(model, settings, start);
    let expected = [&golden.adamw.losses, &golden.scaled_adamw.losses];
    // A software WebGPU adapter has time for three.
    let steps = if cfg!(feature = "webgpu") { 3 } else { 6 };
    for (step, batch) in golden.batches[..steps].iter().enumerate() {
        let report = session.step(model, &batch.batch()).await.unwrap();
        for (run, losses) in report.runs.iter().zip(expected) {
            let (found, expected) = (run.loss.unwrap(), losses[step]);
            assert!(
                (found - expected).abs() < 1e-4,
                "step {step}: {found} {expected}"
            );
        }
    }
    if steps == golden.batches.len() {
        let last = golden.batches[steps - 1].batch();
        let after = session.evaluate(model, &last).await.unwrap();
        for (sum, losses) in after.sums.iter().zip(expected) {
            let (found, expected) = (sum / after.count as f64, losses[steps]);
            assert!(
                (found - expected).abs() < 1e-4,
                "after the last: {found} {expected}"
            );
        }
    }
}

#[cfg(not(feature = "webgpu"))]
async fn greedy_continuation_is_that_of_transformers(family: Family) {
    let (golden, model) = (family.golden(), family.model().await);
    let settings = SampleSettings {
        prompt: String::new(),
        chat: false,
        max_tokens: 16,
        temperature: 0.0,
        top_k: 0,
        top_p: 1.0,
        seed: 0,
        stop: Vec::new(),
        include_base: false,
    };
    let greedy = &golden.base.greedy;
    let mut generator = Generator::new(&model, None, &greedy.prompt, &[], settings).unwrap();
    let mut written = Vec::new();
    while let Some(tokens) = generator.next(&model).await.unwrap() {
        written.extend(tokens.into_iter().flatten());
    }
    assert_eq!(written, greedy.continuation);
}

/// The file of llama.cpp's converter, with what it cannot say, has the folder's config and logits.
#[cfg(not(feature = "webgpu"))]
async fn a_gguf_file_is_the_same_model(family: Family) {
    let golden = family.golden();
    let folder = family.model().await;
    let from_gguf = family.model_of_gguf(&folder).await;
    assert_eq!(from_gguf.config, folder.config);
    let expected = logits(&folder, None, &golden.batches[0]).await;
    let found = logits(&from_gguf, None, &golden.batches[0]).await;
    let largest = expected.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
    let error = difference(&expected, &found);
    assert!(error < 1e-4 * largest, "{error} of {largest}");
}

/// Written as PEFT has it, and merged into the base for transformers, an adapter computes what it did.
#[cfg(not(feature = "webgpu"))]
async fn what_is_written_computes_the_same(family: Family) {
    let (golden, model) = (family.golden(), family.model().await);
    let adapters = family.adapters(&model, 1);
    let expected = logits(&model, Some(&adapters), &golden.batches[0]).await;
    let largest = expected.iter().fold(0.0_f32, |most, v| most.max(v.abs()));

    let written = peft::write(&adapters, 0, &model.config, "base", 0.0).await;
    let written = written.unwrap();
    let again = peft::read(
        &written.config,
        &written.weights,
        &model.config,
        &model.device,
    );
    let again = logits(&model, Some(&again.unwrap().adapters), &golden.batches[0]).await;
    assert_eq!(difference(&expected, &again), 0.0);

    let merged = Merged::new(&model, &adapters, 0, Precision::F32);
    let mut weights = merged.header().unwrap();
    for piece in 0..merged.pieces() {
        weights.extend(merged.piece(piece).await.unwrap());
    }
    let config = merged.config(&SpecialTokens::default()).unwrap();
    is_what_transformers_checks(&config, family.config);
    let files = [
        ("config.json", config.as_slice()),
        ("model.safetensors", &weights),
        ("tokenizer.json", TOKENIZER),
    ];
    let files = files.map(|(name, bytes)| MemorySource::new(name, bytes));
    let checkpoint = Checkpoint::open(files.into()).await.unwrap();
    assert_eq!(checkpoint.config(), &model.config);
    let merged = logits(&load(&checkpoint).await, None, &golden.batches[0]).await;
    let error = difference(&expected, &merged);
    assert!(error < 1e-4 * largest, "{error} of {largest}");
}

/// transformers checks the types of what it reads, and a number with a point is not a whole one; and a padding token that is
/// not said may be beyond the vocabulary.
#[cfg(not(feature = "webgpu"))]
fn is_what_transformers_checks(config: &[u8], theirs: &[u8]) {
    let [ours, theirs] = [config, theirs].map(|json| {
        let value: serde_json::Value = serde_json::from_slice(json).unwrap();
        value.as_object().unwrap().clone()
    });
    assert_eq!(ours["pad_token_id"], serde_json::Value::Null);
    let mut compared = 0;
    for (key, value) in theirs.iter().filter(|(_, value)| value.is_u64()) {
        if let Some(found) = ours.get(key).filter(|found| found.is_number()) {
            assert!(
                found.is_u64(),
                "{key}: {found}, and transformers has {value}"
            );
            compared += 1;
        }
    }
    assert!(compared > 4, "{compared}");
}

macro_rules! file {
    ($family:literal, $path:literal) => {
        include_bytes!(concat!("../fixtures/golden/families/", $family, "/", $path))
    };
}

macro_rules! family {
    ($module:ident, $folder:literal, $beside_gguf:expr) => {
        mod $module {
            use super::Family;

            pub(super) fn family() -> Family {
                Family {
                    config: file!($folder, "model/config.json"),
                    weights: file!($folder, "model/model.safetensors"),
                    gguf: file!($folder, "model.gguf"),
                    adapter: (
                        file!($folder, "adapter_random/adapter_config.json"),
                        file!($folder, "adapter_random/adapter_model.safetensors"),
                    ),
                    golden: file!($folder, "golden.json"),
                    beside_gguf: $beside_gguf,
                }
            }

            family!(@tests
                logits_and_loss_are_those_of_transformers
                gradients_are_those_of_torch
                steps_are_those_of_torch
            );
            #[cfg(not(feature = "webgpu"))]
            family!(@tests
                greedy_continuation_is_that_of_transformers
                a_gguf_file_is_the_same_model
                steps_from_a_gguf_file_are_those_of_torch
                what_is_written_computes_the_same
            );
        }
    };
    (@tests $($name:ident)*) => {
        $(everywhere! { async fn $name() { super::$name(family()).await } })*
    };
}

/// What GGUF files have no key for.
fn nothing(_: &mut ModelConfig, _: &ModelConfig) {}

/// llama.cpp takes the scale of Gemma's attention from the head's width.
#[cfg_attr(feature = "webgpu", allow(dead_code))]
fn scale(gguf: &mut ModelConfig, folder: &ModelConfig) {
    gguf.attention_scale = folder.attention_scale;
}

/// llama.cpp knows a Mistral as a Llama.
#[cfg_attr(feature = "webgpu", allow(dead_code))]
fn window(gguf: &mut ModelConfig, folder: &ModelConfig) {
    gguf.architecture = folder.architecture;
    gguf.sliding_window = folder.sliding_window;
    gguf.sliding_layers.clone_from(&folder.sliding_layers);
}

family!(qwen3, "qwen3", super::nothing);
family!(gemma3, "gemma3", super::scale);

#[cfg(not(feature = "webgpu"))]
family!(llama3, "llama3", super::nothing);
#[cfg(not(feature = "webgpu"))]
family!(qwen2, "qwen2", super::nothing);
#[cfg(not(feature = "webgpu"))]
family!(mistral, "mistral", super::window);
#[cfg(not(feature = "webgpu"))]
family!(smollm3, "smollm3", super::nothing);
#[cfg(not(feature = "webgpu"))]
family!(granite, "granite", super::nothing);
#[cfg(not(feature = "webgpu"))]
family!(gemma2, "gemma2", super::scale);
#[cfg(not(feature = "webgpu"))]
family!(olmo2, "olmo2", super::nothing);
#[cfg(not(feature = "webgpu"))]
family!(phi3, "phi3", super::nothing);
#[cfg(not(feature = "webgpu"))]
family!(gpt_neox, "gpt_neox", super::nothing);

/// Adapters of every family, trained on from the golden ones, and those of the parts of fused layers, for
/// `scripts/check-peft` and `scripts/check-llama-cpp`; with our logits of the folder and of the GGUF file.
#[cfg(not(any(target_arch = "wasm32", feature = "webgpu")))]
#[pollster::test]
#[ignore = "scripts/check-peft and scripts/check-llama-cpp run it"]
async fn files_for_other_programs() {
    use crate::peft::{write_file, write_for_other_programs};
    use riemann_lora::model::Target;

    let families = [
        ("qwen3", qwen3::family()),
        ("gemma3", gemma3::family()),
        ("llama3", llama3::family()),
        ("qwen2", qwen2::family()),
        ("mistral", mistral::family()),
        ("smollm3", smollm3::family()),
        ("granite", granite::family()),
        ("gemma2", gemma2::family()),
        ("olmo2", olmo2::family()),
        ("phi3", phi3::family()),
        ("gpt_neox", gpt_neox::family()),
    ];
    let of_phi3 = [
        Target::QProj,
        Target::VProj,
        Target::OProj,
        Target::GateProj,
        Target::UpProj,
    ];
    let of_gpt_neox = [Target::KProj, Target::VProj, Target::DenseHTo4h];
    for (name, family) in families {
        let (golden, model) = (family.golden(), family.model().await);
        let source = MemorySource::new("model.gguf", family.gguf);
        let gguf = load(&Checkpoint::open(vec![source]).await.unwrap()).await;
        let whole = family.adapters(&model, 2);
        let mut starts = vec![(name.to_owned(), whole)];
        match name {
            "phi3" => starts.push(("phi3-parts".into(), random_adapters(&model, &of_phi3, 2))),
            "gpt_neox" => starts.push((
                "gpt_neox-parts".into(),
                random_adapters(&model, &of_gpt_neox, 2),
            )),
            _ => {}
        }
        for (name, start) in starts {
            let settings = riemann_lora::train::SessionSettings {
                targets: start.shape.targets.clone(),
                ..settings(vec![
                    OptimizerSettings::adamw(1e-2),
                    OptimizerSettings::scaled_adamw(1e-2),
                ])
            };
            let mut session = Session::with_adapters(&model, settings, start);
            for batch in &golden.batches {
                session.step(&model, &batch.batch()).await.unwrap();
            }
            let trained = session.adapters();
            write_for_other_programs(&model, trained, &gguf, &name).await;
            let run = trained.run(1);
            for (file, model, adapters) in [
                ("logits.json", &model, Some(&run)),
                ("logits-gguf.json", &gguf, Some(&run)),
                ("base-gguf.json", &gguf, None),
            ] {
                let logits = logits(model, adapters, &golden.batches[0]).await;
                write_file(&name, file, serde_json::to_vec(&logits).unwrap());
            }
        }
    }
}
