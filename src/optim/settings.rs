//! What a user sets for one run's optimizer, and which values are allowed.

use serde::{Deserialize, Serialize};

use super::schedule::Schedule;

/// How an update is made from a (preconditioned) gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum UpdateRule {
    /// AdamW as torch's: bias-corrected moments, `eps` outside the root, decoupled weight decay.
    Adamw,
    /// Plain gradient descent with decoupled weight decay.
    Sgd,
}

/// Which factors the Gram matrix for B is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Both Gram matrices come from the factors before the step.
    #[default]
    Simultaneous,
    /// B's Gram matrix comes from the A just updated, as the paper's reference code does.
    Sequential,
}

/// The Riemannian preconditioner of one run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct PreconditionerSettings {
    /// δ in (BᵀB + δI)⁻¹ and (AAᵀ + δI)⁻¹.
    pub damping: f64,
    /// Which A the second Gram matrix sees.
    #[serde(default)]
    pub order: Order,
}

/// All hyper-parameters of one run's optimizer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct OptimizerSettings {
    /// AdamW or SGD.
    pub rule: UpdateRule,
    /// `None` is the plain method.
    pub preconditioner: Option<PreconditionerSettings>,
    /// Learning rate of A, and of B before `lr_ratio_b`.
    pub lr: f64,
    /// Learning rate of B over that of A; LoRA+ uses 16, everything else 1.
    pub lr_ratio_b: f64,
    /// Decay of AdamW's first and second moment; SGD ignores it.
    pub betas: [f64; 2],
    /// Added to the root of AdamW's second moment; SGD ignores it.
    pub eps: f64,
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
            preconditioner: None,
            lr,
            lr_ratio_b: 1.0,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 0.01,
            max_grad_norm: None,
            schedule: Schedule::default(),
        }
    }

    /// Scaled AdamW at learning rate `lr` with the safe preset: betas 0.9 and 0.999, damping 1e-2.
    pub fn scaled_adamw(lr: f64) -> Self {
        Self {
            preconditioner: Some(PreconditionerSettings {
                damping: 1e-2,
                order: Order::Simultaneous,
            }),
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
