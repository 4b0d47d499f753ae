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
    /// δ is a share of the mean eigenvalue that the layer's AAᵀ had before the first step: at PEFT's start 0.03 of it is
    /// 1e-2, and it stays what it is while the factors grow.
    Initial,
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
    /// Carries the first moment of each factor over when the other, in which it is measured, has moved, as AltLoRA does
    /// (arXiv 2505.12455). Only where gradients are preconditioned; Muon ignores it.
    #[serde(default)]
    pub realigns_momentum: bool,
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
            realigns_momentum: false,
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
    /// Longest step of a layer's A before weight decay, as a share of that A's norm; `None` does not shorten any. Scaled GD's
    /// second step has no other bound: clipping comes before the preconditioner, which divides by σ² + δ of a B that was
    /// 0 a step before.
    #[serde(default)]
    pub max_step_a: Option<f64>,
    /// Warm-up and decay of the learning rate.
    pub schedule: Schedule,
}

/// A hyper-parameter outside its range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field} is {}; it must be {range}", shown(*value))]
pub struct SettingError {
    /// Name of the hyper-parameter.
    pub field: &'static str,
    /// What was given.
    pub value: f64,
    /// What is allowed.
    pub range: &'static str,
}

/// A number as messages show it: very small and very large ones with their power of ten, not with hundreds of digits.
pub(crate) fn shown(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && size.is_finite() && !(1e-5..1e16).contains(&size) {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

/// All is computed in single precision, which below the first of these loses digits and has no number beyond the second.
const SINGLE: &str = "between 1.2e-38 and 3.4e38";
const ZERO_OR_SINGLE: &str = "0, or between 1.2e-38 and 3.4e38";

/// Whether single precision has all digits of a number above 0.
fn is_single(value: f64) -> bool {
    value > 0.0 && (value as f32).is_normal()
}

fn is_zero_or_single(value: f64) -> bool {
    value == 0.0 || is_single(value)
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

    /// An error unless a learning rate, or what is used like one, is 0 or a number above 0 of single precision.
    pub(crate) fn unless_rate(field: &'static str, value: f64) -> Result<(), Self> {
        Self::unless(is_zero_or_single(value), field, value, ZERO_OR_SINGLE)
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
            max_step_a: None,
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
        let rate = SettingError::unless_rate;
        // Rounded to single precision, a share just below 1 would be 1.
        let is_share = |value: f64| (0.0..1.0).contains(&value) && (value as f32) < 1.0;
        let share = "at least 0 and at most 0.9999999";
        rate("lr", self.lr)?;
        rate("lr_ratio_b", self.lr_ratio_b)?;
        let lr_b = self.lr * self.lr_ratio_b;
        check(
            is_zero_or_single(lr_b),
            "lr_ratio_b",
            self.lr_ratio_b,
            "such that its product with lr is 0, or between 1.2e-38 and 3.4e38",
        )?;
        for beta in self.betas {
            check(is_share(beta), "betas", beta, share)?;
        }
        // Nothing is added to a root of 0: 0 / 0 in each element without a gradient.
        match self.rule {
            UpdateRule::Adamw => check(is_single(self.eps), "eps", self.eps, SINGLE)?,
            UpdateRule::Sgd | UpdateRule::Muon => rate("eps", self.eps)?,
        }
        check(is_share(self.momentum), "momentum", self.momentum, share)?;
        rate("weight_decay", self.weight_decay)?;
        let decay = self.lr.max(lr_b) * self.weight_decay;
        check(
            (decay as f32).is_finite(),
            "weight_decay",
            self.weight_decay,
            "such that its product with the learning rates is at most 3.4e38",
        )?;
        // What they are multiplied with is the root of what is left.
        check(
            !(self.rule == UpdateRule::Muon && self.preconditioner.is_some()) || decay < 1.0,
            "weight_decay",
            self.weight_decay,
            "such that its product with the learning rates is below 1: LoRA-Muon decays the product of both factors",
        )?;
        if let Some(norm) = self.max_grad_norm {
            check(is_single(norm), "max_grad_norm", norm, SINGLE)?;
        }
        if let Some(share) = self.max_step_a {
            check(is_single(share), "max_step_a", share, SINGLE)?;
        }
        if let Some(preconditioner) = self.preconditioner {
            let damping = preconditioner.damping;
            // B starts at zero: without damping its Gram matrix has no inverse.
            check(is_single(damping), "damping", damping, SINGLE)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(change: impl FnOnce(&mut OptimizerSettings)) -> String {
        let mut settings = OptimizerSettings::scaled_adamw(1e-3);
        change(&mut settings);
        let error = settings.validate().expect_err("it is out of range");
        error.to_string()
    }

    #[test]
    fn what_single_precision_does_not_hold_is_refused_with_the_range() {
        let damping = |damping| Some(PreconditionerSettings::new(damping));
        let between = "it must be between 1.2e-38 and 3.4e38";
        let zero_or = "it must be 0, or between 1.2e-38 and 3.4e38";
        assert_eq!(message(|s| s.lr = 1e39), format!("lr is 1e39; {zero_or}"));
        assert_eq!(
            message(|s| s.lr = -1e-300),
            format!("lr is -1e-300; {zero_or}")
        );
        assert_eq!(
            message(|s| s.lr = f64::NAN),
            format!("lr is NaN; {zero_or}")
        );
        assert_eq!(message(|s| s.lr = 1e-39), format!("lr is 1e-39; {zero_or}"));
        assert_eq!(message(|s| s.eps = 0.0), format!("eps is 0; {between}"));
        assert_eq!(
            message(|s| s.eps = 1e300),
            format!("eps is 1e300; {between}")
        );
        assert_eq!(
            message(|s| s.preconditioner = damping(1e-300)),
            format!("damping is 1e-300; {between}")
        );
        assert_eq!(
            message(|s| s.max_grad_norm = Some(1e39)),
            format!("max_grad_norm is 1e39; {between}")
        );
        assert_eq!(
            message(|s| s.max_step_a = Some(0.0)),
            format!("max_step_a is 0; {between}")
        );
        assert_eq!(
            message(|s| s.weight_decay = f64::INFINITY),
            format!("weight_decay is inf; {zero_or}")
        );
        let share = "it must be at least 0 and at most 0.9999999";
        assert_eq!(
            message(|s| s.betas[1] = 0.999_999_999),
            format!("betas is 0.999999999; {share}")
        );
        assert_eq!(
            message(|s| s.momentum = 1.0),
            format!("momentum is 1; {share}")
        );
        let lora_muon = message(|s| {
            s.rule = UpdateRule::Muon;
            s.lr = 0.5;
            s.weight_decay = 2.0;
        });
        assert!(lora_muon.starts_with("weight_decay is 2; it must be such that its product"));
    }

    #[test]
    fn products_of_what_is_allowed_are_numbers_too() {
        let of_b = message(|s| (s.lr, s.lr_ratio_b) = (1e30, 1e30));
        assert!(of_b.starts_with("lr_ratio_b is 1e30; it must be such that its product with lr"));
        let decay = message(|s| (s.lr, s.weight_decay) = (1e30, 1e30));
        assert!(decay.starts_with("weight_decay is 1e30; it must be such that its product"));
    }

    #[test]
    fn what_the_ranges_hold_is_allowed() {
        let wild = OptimizerSettings {
            lr: 3e38,
            eps: 2e-38,
            betas: [0.0, 0.999_999_9],
            weight_decay: 0.0,
            max_grad_norm: Some(2e-38),
            preconditioner: Some(PreconditionerSettings::new(2e-38)),
            ..OptimizerSettings::adamw(1.0)
        };
        assert_eq!(wild.validate(), Ok(()));
        let still = OptimizerSettings {
            rule: UpdateRule::Sgd,
            eps: 0.0,
            ..OptimizerSettings::adamw(0.0)
        };
        assert_eq!(still.validate(), Ok(()));
    }
}
