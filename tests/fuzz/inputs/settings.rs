//! Settings of trainings and of samples.

use riemann_lora::{
    generate::{Generator, SampleSettings},
    model::{Base, Target as Layer},
    train::{
        Session, SessionSettings,
        estimate::{Room, estimate},
    },
};
use serde_json::{Value, json};

use super::{
    Files, Outcome, Random, Target, file,
    fixtures::Model,
    json::{damage, odd_value, set},
    numbers::number,
    texts::odd_text,
    using::{small_batch, two_runs, words},
};

/// Settings of a session for either base, or of a sample.
pub struct Settings {
    bases: [Base; 2],
}

const LLAMA: &str = "llama.json";
const GPT2: &str = "gpt2.json";
const SAMPLE: &str = "sample.json";

const SHARED: &[&str] = &[
    "rank",
    "alpha",
    "dropout",
    "batch_size",
    "micro_batch_size",
    "steps",
    "seed",
    "gradient_checkpointing",
    "targets",
    "half_precision",
    "use_rslora",
    "diagnostics",
    "layer_diagnostics",
    "runs",
];
const OPTIMIZER: &[&str] = &[
    "rule",
    "trains",
    "preconditioner",
    "lr",
    "lr_ratio_b",
    "betas",
    "eps",
    "momentum",
    "weight_decay",
    "max_grad_norm",
    "schedule",
];

impl Settings {
    pub fn new() -> Self {
        Self {
            bases: [Model::Llama.base().0, Model::Gpt2.base().0],
        }
    }

    fn train(base: &Base, text: &[u8], goes_on: bool) -> Outcome {
        let settings: SessionSettings = serde_json::from_slice(text).map_err(words)?;
        let needed = estimate(&settings, &base.config, Room::default(), 128);
        let mut session = Session::new(base, settings).map_err(words)?;
        assert!(needed.total.is_finite() && needed.total > 0.0);
        if !goes_on {
            return Ok(());
        }
        for _ in 0..2 {
            if !session.is_finished() {
                pollster::block_on(session.step(base, &small_batch())).map_err(words)?;
            }
        }
        let saved = pollster::block_on(session.checkpoint()).expect("it can be saved");
        Session::resume(base, &saved).expect("its own checkpoint can be resumed");
        Ok(())
    }

    fn sample(base: &Base, text: &[u8]) -> Outcome {
        let settings: SampleSettings = serde_json::from_slice(text).map_err(words)?;
        let mut generator =
            Generator::new(base, None, &[1, 2, 3], &[0], settings).map_err(words)?;
        for _ in 0..4 {
            let Some(tokens) = pollster::block_on(generator.next(base)).map_err(words)? else {
                break;
            };
            assert!(
                tokens
                    .iter()
                    .flatten()
                    .all(|&token| (token as usize) < base.config.vocab_size)
            );
        }
        Ok(())
    }
}

impl Target for Settings {
    fn draw(&self, random: &mut Random) -> Files {
        if random.once_in(6) {
            return vec![(SAMPLE.into(), sample(random).to_string().into_bytes())];
        }
        let name = if random.once_in(3) { GPT2 } else { LLAMA };
        let layers = if name == GPT2 {
            vec![Layer::CAttn]
        } else {
            vec![Layer::QProj, Layer::VProj]
        };
        let mut settings = serde_json::to_value(two_runs(&layers)).expect("settings are JSON");
        for _ in 0..1 + random.below(4) {
            change(random, &mut settings);
        }
        vec![(name.into(), settings.to_string().into_bytes())]
    }

    fn attempt(&self, files: &Files) -> Outcome {
        let [llama, gpt2] = &self.bases;
        let goes_on = Random::of(files).once_in(3);
        match files[0].0.as_str() {
            GPT2 => Self::train(gpt2, file(files, GPT2), goes_on),
            SAMPLE => Self::sample(llama, file(files, SAMPLE)),
            _ => Self::train(llama, file(files, LLAMA), goes_on),
        }
    }
}

fn change(random: &mut Random, settings: &mut Value) {
    let ideas = [
        json!("sgd"),
        json!("muon"),
        json!("alternating"),
        json!("b"),
        json!("relative"),
        json!("sequential"),
        json!("cosine"),
        json!(["c_attn"]),
        json!(["q_proj", "down_proj"]),
        json!({"warmup_steps": number(random) as u32, "decay": "linear"}),
        json!([0.9, 0.999_999_999_999_999_9]),
        json!(1e-45),
        json!(1e39),
        json!(1e-300),
        json!(number(random) % 70),
        json!(number(random) as u32),
    ];
    let new = if random.once_in(3) {
        odd_value(random)
    } else {
        random.pick(&ideas).clone()
    };
    match random.below(6) {
        0 => set(settings, random.text(SHARED), new),
        1 | 2 => {
            let run = format!("/runs/{}/optimizer", random.below(2));
            if let Some(optimizer) = settings.pointer_mut(&run) {
                set(optimizer, random.text(OPTIMIZER), new);
            }
        }
        3 => {
            if let Some(runs) = settings.get_mut("runs").and_then(Value::as_array_mut)
                && let Some(one) = runs.first().cloned()
            {
                runs.resize(1 + random.below(66), one);
            }
        }
        _ => damage(random, settings, &ideas),
    }
}

fn sample(random: &mut Random) -> Value {
    let mut sample = json!({
        "prompt": "a", "chat": false, "max_tokens": 4, "temperature": 0.5, "top_k": 3, "top_p": 0.9, "seed": 1,
        "stop": ["x"], "include_base": true,
    });
    for _ in 0..1 + random.below(3) {
        match random.below(4) {
            0 => set(
                &mut sample,
                "temperature",
                json!(random.pick(&[-1.0, 1e-308, 5e-324, 1e308, 0.0])),
            ),
            1 => set(
                &mut sample,
                "top_p",
                json!(random.pick(&[-1.0, 0.0, 1e-308, 2.0, 1e308])),
            ),
            2 => set(&mut sample, "stop", json!(["", odd_text(random)])),
            _ => damage(random, &mut sample, &[]),
        }
    }
    sample
}
