//! What a user sets for one run's optimizer, and which values are allowed.

use serde::{Deserialize, Serialize};

use super::schedule::Schedule;

/// How an update is made from a (preconditioned) gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UpdateRule {
    /// AdamW as torch's: bias-corrected moments, `eps` outside the root, decoupled weight decay.
    Adamw,
    /// Gradient descent, with heavy-ball `momentum` as torch's SGD, and decoupled weight decay.
    Sgd,
    /// Nesterov momentum made orthogonal by Newton-Schulz iterations, as torch's Muon; with a preconditioner momentum
    /// made orthogonal in its metric (LoRA-Muon, arXiv 2606.12921).
    Muon,
}

/// Which factors a run trains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TrainedFactors {
    /// A and B in every step.
    #[default]
    Both,
    /// B alone; A stays as it was drawn (LoRA-FA, arXiv 2308.03303).
    B,
    /// B in the first, third, fifth step, A in the others (AltLoRA, arXiv 2505.12455). B begins,
    /// because A has no gradient while B is 0.
    Alternating,
}

/// What `damping` is measured in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DampingKind {
    /// δ is added as it is, as in the paper.
    #[default]
    Absolute,
    /// δ is a share of the Gram matrix's mean eigenvalue.
    Relative,
}

/// Which factors the Gram matrix for B is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Both Gram matrices come from the factors before the step.
    #[default]
    Simultaneous,
    /// B's Gram matrix comes from the A just updated, as the paper's reference code does.
    Sequential,
}

/// What the preconditioner is applied to. Without moments it is all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The gradient, before the rule sees it (the paper's algorithm 1).
    #[default]
    Gradient,
    /// What the rule made of the plain gradient: the form that the proof of the paper's Theorem 4.1 treats.
    Update,
}

/// The Riemannian preconditioner of one run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PreconditionerSettings {
    /// δ in (BᵀB + δI)⁻¹ and (AAᵀ + δI)⁻¹.
    pub damping: f64,
    /// What `damping` is measured in.
    #[serde(default)]
    pub damping_kind: DampingKind,
    /// Which A the second Gram matrix sees.
    #[serde(default)]
    pub order: Order,
    /// Divides by (alpha / r)², so that one learning rate moves ΔW equally at every alpha / r.
    #[serde(default)]
    pub scale_aware: bool,
    /// What is preconditioned; Muon, which is orthogonal in the preconditioner's metric, ignores it.
    #[serde(default)]
    pub place: Place,
    /// Takes off half of what the steps of A and B both do to ΔW, so that they add up to the projection onto the tangent
    /// space of matrices of rank r; Muon ignores it.
    #[serde(default)]
    pub tangent: bool,
}

impl PreconditionerSettings {
    /// The paper's: `damping` as it is, both Gram matrices from the factors before the step.
    pub fn new(damping: f64) -> Self {
        Self {
            damping,
            damping_kind: DampingKind::Absolute,
            order: Order::Simultaneous,
            scale_aware: false,
            place: Place::Gradient,
            tangent: false,
        }
    }
}

/// All hyper-parameters of one run's optimizer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OptimizerSettings {
    /// How an update is made from a gradient.
    pub rule: UpdateRule,
    /// Which factors are trained.
    #[serde(default)]
    pub trains: TrainedFactors,
    /// `None` is the plain method.
    pub preconditioner: Option<PreconditionerSettings>,
    /// Learning rate of A, and of B before `lr_ratio_b`.
    pub lr: f64,
    /// Learning rate of B over that of A; LoRA+ uses 16, everything else 1.
    pub lr_ratio_b: f64,
    /// Decay of AdamW's first and second moment; the other rules ignore it.
    pub betas: [f64; 2],
    /// Added to the root of AdamW's second moment; the other rules ignore it.
    pub eps: f64,
    /// Momentum of SGD and Muon; AdamW ignores it.
    #[serde(default)]
    pub momentum: f64,
    /// Decoupled weight decay: factors shrink by `lr · weight_decay` before the update.
    pub weight_decay: f64,
    /// Largest global L2 norm of the raw gradients of all factors; `None` does not clip.
    pub max_grad_norm: Option<f64>,
    /// Warm-up and decay of the learning rate.
    pub schedule: Schedule,
}

/// A hyper-parameter outside its range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field} is {value}; it must be {range}")]
pub struct SettingError {
    /// Name of the hyper-parameter.
    pub field: &'static str,
    /// What was given.
    pub value: f64,
    /// What is allowed.
    pub range: &'static str,
}

impl SettingError {
    /// An error unless `holds`.
    pub(crate) fn unless(
        holds: bool,
        field: &'static str,
        value: f64,
        range: &'static str,
    ) -> Result<(), Self> {
        if holds {
            Ok(())
        } else {
            Err(Self {
                field,
                value,
                range,
            })
        }
    }
}

impl OptimizerSettings {
    /// AdamW with torch's and PEFT's defaults, at learning rate `lr`.
    pub fn adamw(lr: f64) -> Self {
        Self {
            rule: UpdateRule::Adamw,
            trains: TrainedFactors::Both,
            preconditioner: None,
            lr,
            lr_ratio_b: 1.0,
            betas: [0.9, 0.999],
            eps: 1e-8,
            momentum: 0.0,
            weight_decay: 0.01,
            max_grad_norm: None,
            schedule: Schedule::default(),
        }
    }

    /// Scaled AdamW at learning rate `lr` with the safe preset: betas 0.9 and 0.999, damping 1e-2.
    pub fn scaled_adamw(lr: f64) -> Self {
        Self {
            preconditioner: Some(PreconditionerSettings::new(1e-2)),
            ..Self::adamw(lr)
        }
    }

    /// Checks every hyper-parameter.
    ///
    /// # Errors
    /// The first one outside its range, with the range.
    pub fn validate(&self) -> Result<(), SettingError> {
        let check = SettingError::unless;
        let not_negative = |value: f64| value.is_finite() && value >= 0.0;
        check(
            not_negative(self.lr),
            "lr",
            self.lr,
            "a finite number, 0 or larger",
        )?;
        check(
            not_negative(self.lr_ratio_b),
            "lr_ratio_b",
            self.lr_ratio_b,
            "a finite number, 0 or larger",
        )?;
        for beta in self.betas {
            check(
                (0.0..1.0).contains(&beta),
                "betas",
                beta,
                "at least 0 and below 1",
            )?;
        }
        check(
            not_negative(self.eps),
            "eps",
            self.eps,
            "a finite number, 0 or larger",
        )?;
        check(
            (0.0..1.0).contains(&self.momentum),
            "momentum",
            self.momentum,
            "at least 0 and below 1",
        )?;
        check(
            not_negative(self.weight_decay),
            "weight_decay",
            self.weight_decay,
            "a finite number, 0 or larger",
        )?;
        if let Some(norm) = self.max_grad_norm {
            check(
                norm.is_finite() && norm > 0.0,
                "max_grad_norm",
                norm,
                "a finite number above 0",
            )?;
        }
        if let Some(preconditioner) = self.preconditioner {
            let damping = preconditioner.damping;
            // B starts at zero: without damping its Gram matrix has no inverse.
            check(
                damping.is_finite() && damping > 0.0,
                "damping",
                damping,
                "a finite number above 0",
            )?;
        }
        Ok(())
    }
}
