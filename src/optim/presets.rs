//! Hyper-parameters that are known to behave together, for the page and the native program.

use serde::{Deserialize, Serialize};

use super::{
    Decay, OptimizerSettings, Place, PreconditionerSettings, Schedule, TrainedFactors, UpdateRule,
};

/// The methods that a run can be, by the names of their papers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// AdamW.
    Adamw,
    /// AdamW on preconditioned gradients.
    ScaledAdamw,
    /// Gradient descent.
    Sgd,
    /// Gradient descent on preconditioned gradients.
    ScaledGd,
    /// AdamW with a larger learning rate for B.
    LoraPlus,
    /// B alone is trained.
    LoraFa,
    /// Preconditioned updates of B and A in turns.
    AltLora,
    /// AdamW on these.
    AltLoraPlus,
    /// Orthogonal updates of both factors.
    Muon,
    /// Updates that are orthogonal in the preconditioner's metric.
    LoraMuon,
}

/// Settings of one run with a name. `lr` is a place to start from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Preset {
    /// Name in command lines and addresses.
    pub id: String,
    /// What it is called beside its method.
    pub name: String,
    /// Which method it is.
    pub method: Method,
    /// What it is good for, in one sentence.
    pub about: String,
    /// The settings.
    pub optimizer: OptimizerSettings,
    /// Steps that the warm-up is meant for: a shorter run warms up for the same share of its steps.
    pub schedule_steps: Option<u32>,
}

impl Preset {
    /// The settings for a run of `steps`.
    pub fn for_steps(&self, steps: u32) -> OptimizerSettings {
        let mut optimizer = self.optimizer;
        if let Some(meant) = self.schedule_steps {
            let share = f64::from(optimizer.schedule.warmup_steps) / f64::from(meant);
            optimizer.schedule.warmup_steps = (share * f64::from(steps)).round() as u32;
        }
        optimizer
    }

    /// The preset called `id`.
    pub fn find(id: &str) -> Option<Self> {
        presets().into_iter().find(|preset| preset.id == id)
    }
}

/// Steps of the paper's E2E runs: 42,061 examples, batch 8, 5 epochs (its appendix on GPT-2).
const PAPER_STEPS: u32 = 26_290;

/// Linear decay after 500 warm-up steps, as in the paper's E2E runs.
const PAPER_SCHEDULE: Schedule = Schedule {
    warmup_steps: 500,
    decay: Decay::Linear,
};

/// All presets; those of one method side by side, the first of them its default.
pub fn presets() -> Vec<Preset> {
    let adamw = OptimizerSettings::adamw(1e-3);
    let safe = OptimizerSettings::scaled_adamw(1e-3);
    let sgd = OptimizerSettings {
        rule: UpdateRule::Sgd,
        lr: 0.1,
        weight_decay: 0.0,
        ..adamw
    };
    let scaled_gd = OptimizerSettings {
        lr: 1e-2,
        preconditioner: Some(PreconditionerSettings::new(1e-2)),
        ..sgd
    };
    // The values of the paper's table of hyper-parameters for GPT-2 on E2E; its reference code
    // keeps the eps of LoRA's own.
    let paper = OptimizerSettings {
        eps: 1e-6,
        schedule: PAPER_SCHEDULE,
        ..adamw
    };
    let paper_metric = Some(PreconditionerSettings::new(1e-6));
    let quick = [0.7, 0.8];
    let preset = |id: &str, name: &str, method, about: &str, optimizer: OptimizerSettings| Preset {
        id: id.into(),
        name: name.into(),
        method,
        about: about.into(),
        optimizer,
        schedule_steps: (optimizer.schedule == PAPER_SCHEDULE).then_some(PAPER_STEPS),
    };
    vec![
        preset(
            "adamw",
            "PEFT defaults",
            Method::Adamw,
            "AdamW as PyTorch sets it: betas 0.9 and 0.999.",
            adamw,
        ),
        preset(
            "adamw-paper",
            "Paper",
            Method::Adamw,
            "The paper’s AdamW for E2E: lr 2e-4, betas 0.9 and 0.999, linear schedule.",
            OptimizerSettings { lr: 2e-4, ..paper },
        ),
        preset(
            "adamw-control",
            "Control: paper’s betas",
            Method::Adamw,
            "AdamW at the betas of the paper’s scaled AdamW: the paper changes betas and preconditioner together, this \
             changes betas alone.",
            OptimizerSettings {
                lr: 2e-4,
                betas: quick,
                ..paper
            },
        ),
        preset(
            "scaled-adamw-safe",
            "Safe",
            Method::ScaledAdamw,
            "Damping 1e-2, PEFT’s default, with betas 0.9 and 0.999: steady from the first step.",
            safe,
        ),
        preset(
            "scaled-adamw-paper",
            "Paper",
            Method::ScaledAdamw,
            "The paper’s scaled AdamW for E2E: lr 8e-4, damping 1e-6, quickly forgetting betas 0.7 and 0.8.",
            OptimizerSettings {
                lr: 8e-4,
                betas: quick,
                preconditioner: paper_metric,
                ..paper
            },
        ),
        preset(
            "scaled-adamw-update",
            "Update preconditioned",
            Method::ScaledAdamw,
            "AdamW on plain gradients, and what it makes of them preconditioned: the form that the proof of the paper’s \
             Theorem 4.1 treats. lr is far smaller than where gradients are preconditioned.",
            OptimizerSettings {
                lr: 2e-4,
                preconditioner: Some(PreconditionerSettings {
                    place: Place::Update,
                    ..PreconditionerSettings::new(1e-2)
                }),
                ..adamw
            },
        ),
        preset(
            "sgd",
            "Plain",
            Method::Sgd,
            "Gradient descent; it needs a far larger lr than AdamW.",
            sgd,
        ),
        preset(
            "sgd-momentum",
            "Momentum 0.9",
            Method::Sgd,
            "Gradient descent with heavy-ball momentum.",
            OptimizerSettings {
                lr: 1e-2,
                momentum: 0.9,
                ..sgd
            },
        ),
        preset(
            "sgd-paper",
            "Paper",
            Method::Sgd,
            "The paper’s SGD for E2E: lr 9e-2, weight decay 0.01, linear schedule.",
            OptimizerSettings {
                lr: 9e-2,
                weight_decay: 0.01,
                schedule: PAPER_SCHEDULE,
                ..sgd
            },
        ),
        preset(
            "scaled-gd",
            "Safe",
            Method::ScaledGd,
            "Gradient descent on preconditioned gradients, with damping 1e-2.",
            scaled_gd,
        ),
        preset(
            "scaled-gd-paper",
            "Paper",
            Method::ScaledGd,
            "The paper’s scaled GD for E2E, the method that its theory is about: lr 2e-2, damping 1e-6.",
            OptimizerSettings {
                lr: 2e-2,
                weight_decay: 0.01,
                schedule: PAPER_SCHEDULE,
                preconditioner: paper_metric,
                ..scaled_gd
            },
        ),
        preset(
            "tangent-gd",
            "Tangent space",
            Method::ScaledGd,
            "Scaled GD without what the steps of both factors count twice: together they are the gradient’s projection on \
             the tangent space of matrices of rank r.",
            OptimizerSettings {
                preconditioner: Some(PreconditionerSettings {
                    tangent: true,
                    ..PreconditionerSettings::new(1e-2)
                }),
                ..scaled_gd
            },
        ),
        preset(
            "lora-plus",
            "Ratio 16",
            Method::LoraPlus,
            "AdamW with a learning rate 16 times larger for lora_b than for lora_a (arXiv 2402.12354).",
            OptimizerSettings {
                lr: 2e-4,
                lr_ratio_b: 16.0,
                ..adamw
            },
        ),
        preset(
            "lora-fa",
            "Frozen lora_a",
            Method::LoraFa,
            "AdamW on lora_b alone; lora_a stays as it was drawn (arXiv 2308.03303).",
            OptimizerSettings {
                trains: TrainedFactors::B,
                ..adamw
            },
        ),
        preset(
            "alt-lora",
            "Alternating",
            Method::AltLora,
            "Preconditioned gradient descent on lora_b and lora_a in turns, divided by (alpha / r)² \
             (arXiv 2505.12455).",
            OptimizerSettings {
                trains: TrainedFactors::Alternating,
                preconditioner: Some(PreconditionerSettings {
                    scale_aware: true,
                    ..PreconditionerSettings::new(1e-2)
                }),
                ..scaled_gd
            },
        ),
        preset(
            "alt-lora-momentum",
            "Momentum 0.9",
            Method::AltLora,
            "AltLoRA with momentum that is carried into the new basis whenever the other factor has moved.",
            OptimizerSettings {
                trains: TrainedFactors::Alternating,
                momentum: 0.9,
                lr: 1e-3,
                preconditioner: Some(PreconditionerSettings {
                    scale_aware: true,
                    realigns_momentum: true,
                    ..PreconditionerSettings::new(1e-2)
                }),
                ..scaled_gd
            },
        ),
        preset(
            "alt-lora-plus",
            "Alternating",
            Method::AltLoraPlus,
            "AdamW on preconditioned gradients of lora_b and lora_a in turns, with its first moment carried into the new \
             basis whenever the other factor has moved (arXiv 2505.12455).",
            OptimizerSettings {
                trains: TrainedFactors::Alternating,
                preconditioner: Some(PreconditionerSettings {
                    realigns_momentum: true,
                    ..PreconditionerSettings::new(1e-2)
                }),
                ..adamw
            },
        ),
        preset(
            "muon",
            "Momentum 0.95",
            Method::Muon,
            "Momentum made orthogonal, on lora_a and lora_b each.",
            OptimizerSettings {
                rule: UpdateRule::Muon,
                lr: 1e-3,
                momentum: 0.95,
                weight_decay: 0.01,
                ..adamw
            },
        ),
        preset(
            "lora-muon",
            "Momentum 0.95",
            Method::LoraMuon,
            "Momentum made orthogonal in the preconditioner’s metric (arXiv 2606.12921): lr is about the size of each step of \
             ΔW in every direction, at every rank and alpha.",
            OptimizerSettings {
                rule: UpdateRule::Muon,
                lr: 1e-2,
                momentum: 0.95,
                weight_decay: 0.01,
                preconditioner: Some(PreconditionerSettings {
                    scale_aware: true,
                    ..PreconditionerSettings::new(1e-6)
                }),
                ..adamw
            },
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_settings_allowed() {
        let all = presets();
        for (index, preset) in all.iter().enumerate() {
            preset.optimizer.validate().expect(&preset.id);
            assert!(all[..index].iter().all(|other| other.id != preset.id));
            assert_eq!(Preset::find(&preset.id).as_ref(), Some(preset));
        }
    }

    #[test]
    fn a_short_run_warms_up_for_the_papers_share() {
        let preset = Preset::find("scaled-adamw-paper").expect("a preset");
        assert_eq!(preset.for_steps(26_290).schedule.warmup_steps, 500);
        assert_eq!(preset.for_steps(526).schedule.warmup_steps, 10);
        assert_eq!(preset.for_steps(10).schedule.warmup_steps, 0);
        let safe = Preset::find("scaled-adamw-safe").expect("a preset");
        assert_eq!(safe.for_steps(10), safe.optimizer);
    }
}
