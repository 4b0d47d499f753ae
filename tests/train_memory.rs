//! What a step takes, against its estimate. Only natively: the allocator of the whole program is counted.
#![cfg(all(not(target_arch = "wasm32"), not(feature = "webgpu")))]

use std::sync::atomic::Ordering::Relaxed;

mod counting;
use counting::{MOST, NOW};

use burn::tensor::{Device, Distribution, Tensor};
use riemann_lora::{
    data::Batch,
    kernel::ProductPrecision,
    model::{
        Activation, Adapters, Architecture, Base, Dropout, FrozenWeight, Held, ModelConfig, Rotary,
        Target, WeightForm,
        architecture::ARCHITECTURES,
        walk::{self, Kind, Role},
    },
    optim::OptimizerSettings,
    train::{
        RunSettings, Session, SessionSettings,
        estimate::{Room, estimate},
        gradients::{Pass, PassSettings},
        settings::adapter_shape,
    },
};

/// A base of random weights in this form, with an embedding table for its head.
fn base(config: ModelConfig, form: WeightForm, device: &Device) -> Base {
    let weights = walk::weights(&config).map(|weight| match (weight.role, &weight.shape[..]) {
        (Role::Block(.., Kind::Bias) | Role::FinalNorm(Kind::Bias), &[length]) => {
            Held::Vector(Tensor::zeros([length], device))
        }
        (_, &[length]) => Held::Vector(Tensor::ones([length], device)),
        (_, shape) => {
            let random = Distribution::Normal(0.0, 0.02);
            let weight = FrozenWeight::from(Tensor::<2>::random(shape.to_vec(), random, device));
            Held::Matrix(weight.in_form(form))
        }
    });
    let weights: Vec<Held> = weights.collect();
    Base::assemble(config, device, weights).expect("all weights")
}

/// All in one test: what is counted is of the whole process.
#[test]
fn a_step_takes_what_was_estimated() {
    let device = Device::flex();
    let mut wrong = Vec::new();
    for architecture in ARCHITECTURES.iter().copied() {
        let base = base(config(architecture, 64), WeightForm::Dense, &device);
        let whole: Vec<Target> = architecture
            .modules
            .iter()
            .filter_map(|module| module.target)
            .collect();
        for targets in [vec![Target::QProj, Target::VProj], whole] {
            for gradient_checkpointing in [false, true] {
                for dropout in [0.0, 0.1] {
                    let settings = SessionSettings {
                        dropout,
                        gradient_checkpointing,
                        ..settings(&targets)
                    };
                    wrong.extend(check(&base, &settings));
                }
            }
        }
    }
    // So many words that the head takes more than a block, with a bound of its logits and without; packed as in the page,
    // because burn's product copies what it multiplies.
    for architecture in ["llama", "gemma2"] {
        let mut known = ARCHITECTURES.iter().copied();
        let architecture = known.find(|known| known.model_type == architecture);
        let base = base(
            config(architecture.expect("it is known"), 24_000),
            WeightForm::Packed,
            &device,
        );
        let settings = settings(&[Target::QProj, Target::VProj]);
        wrong.extend(check(&base, &settings));
    }
    wrong.extend(check_evaluation(&base(
        config(ARCHITECTURES[0], 64),
        WeightForm::Dense,
        &device,
    )));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An evaluation of 32 rows, two at a time, against the estimate of a step of two; and against its own loss whole.
fn check_evaluation(base: &Base) -> Option<String> {
    const ROWS: usize = 32;
    let batch = Batch {
        rows: ROWS,
        tokens: TOKENS,
        ids: (0..(ROWS * TOKENS) as i32)
            .map(|place| place % 61)
            .collect(),
        labels: (0..(ROWS * TOKENS) as i32)
            .map(|place| place % 59)
            .collect(),
    };
    let losses = |micro_batch_size| {
        let settings = SessionSettings {
            batch_size: ROWS as u32,
            micro_batch_size,
            ..settings(&[Target::QProj, Target::VProj])
        };
        let session = Session::new(base, settings.clone()).expect("settings in range");
        let before = NOW.load(Relaxed);
        MOST.store(before, Relaxed);
        let losses = pollster::block_on(session.evaluate(base, &batch)).expect("a short batch");
        let used = (MOST.load(Relaxed) - before) as f64;
        let expected = estimate(&settings, &base.config, Room::default(), TOKENS).activations;
        (losses, used, expected)
    };
    let (whole, at_once, _) = losses(0);
    let (parts, used, expected) = losses(2);
    assert_eq!(parts.count, ROWS * (TOKENS - 1));
    assert_eq!(parts.count, whole.count);
    let apart = (parts.means()[0] - whole.means()[0]).abs();
    assert!(apart < 1e-6, "{apart} between the whole and its parts");
    let said = format!(
        "an evaluation in parts: {:.2} MB estimated, {:.2} MB used",
        expected / 1e6,
        used / 1e6
    );
    println!("{said}");
    (!(used < expected && expected < at_once)).then_some(said)
}

/// A small model of `architecture` with a vocabulary of `words`, whose widths are all different.
fn config(architecture: &'static Architecture, words: usize) -> ModelConfig {
    let is_gpt2 = architecture.positions.is_some();
    let is_gemma = architecture.rms_plus_one;
    let has_groups = !is_gpt2 && !architecture.interleaves_heads;
    ModelConfig {
        vocab_size: words,
        hidden_size: 224,
        intermediate_size: 640,
        num_hidden_layers: 6,
        max_position_embeddings: TOKENS,
        tie_word_embeddings: true,
        num_attention_heads: 6,
        num_key_value_heads: if has_groups { 2 } else { 6 },
        head_dim: 48,
        norm_eps: 1e-5,
        activation: match (is_gpt2 || is_gemma, architecture.interleaves_heads) {
            (true, _) => Activation::GeluTanh,
            (false, true) => Activation::Gelu,
            (false, false) => Activation::Silu,
        },
        rotary: (!is_gpt2).then(|| Rotary::plain(1e4)),
        attention_softcap: (architecture.model_type == "gemma2").then_some(50.0),
        logits_softcap: (architecture.model_type == "gemma2").then_some(30.0),
        parallel_residual: architecture.interleaves_heads,
        ..ModelConfig::of(architecture)
    }
}

const TOKENS: usize = 128;

fn settings(targets: &[Target]) -> SessionSettings {
    SessionSettings {
        rank: 4,
        alpha: 8.0,
        use_rslora: false,
        dropout: 0.0,
        targets: targets.to_vec(),
        batch_size: 2,
        micro_batch_size: 0,
        gradient_checkpointing: false,
        half_precision: false,
        steps: 1,
        seed: 0,
        diagnostics: false,
        layer_diagnostics: false,
        runs: vec![RunSettings {
            name: "run".into(),
            optimizer: OptimizerSettings::adamw(1e-3),
            text_lr: None,
        }],
    }
}

/// A step's peak above the base, against the estimate; what is wrong with it where they are too far from each other.
fn check(base: &Base, settings: &SessionSettings) -> Option<String> {
    let adapters = Adapters::new(&base.config, adapter_shape(settings), 1, 0, &base.device);
    // The last token of a row is asked for and not computed.
    let tokens = TOKENS + 1;
    let batch = Batch {
        rows: 2,
        tokens,
        ids: vec![3; 2 * tokens],
        labels: vec![3; 2 * tokens],
    };
    let dropout = Dropout {
        share: settings.dropout,
        seed: 0,
        step: 0,
        examples: 0..2,
        places: None,
    };
    let pass_settings = PassSettings {
        dropout: (settings.dropout > 0.0).then_some(&dropout),
        whole: 2 * TOKENS,
        precision: ProductPrecision::Single,
        gradient_checkpointing: settings.gradient_checkpointing,
    };
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    let pass = Pass::forward(base, &adapters, &batch, pass_settings).expect("labels count");
    drop(pass.backward());
    let used = (MOST.load(Relaxed) - before) as f64;
    let expected = estimate(settings, &base.config, Room::default(), TOKENS).activations;
    let ratio = expected / used;
    let said = format!(
        "{}, {} words, {:?}, checkpointing {}, dropout {}: {:.2} MB estimated, {:.2} MB used, ratio {ratio:.3}",
        base.config.architecture.model_type,
        base.config.vocab_size,
        settings.targets,
        settings.gradient_checkpointing,
        settings.dropout,
        expected / 1e6,
        used / 1e6
    );
    println!("{said}");
    // Where blocks are computed again, the one block that is counted whole is most of what so few of them take.
    let most = match settings.gradient_checkpointing {
        true => 1.2,
        false => 1.12,
    };
    (!(0.95..most).contains(&ratio)).then_some(said)
}
