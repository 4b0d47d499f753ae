//! What an optimizer remembers of the gradients of one factor.

use burn::tensor::Tensor;

use super::{Coefficients, adamw, coefficients::FactorCoefficients};

/// Moments of one factor of all runs, each of the factor's shape.
#[derive(Debug, Clone)]
pub struct Moments {
    /// Running mean of gradients for AdamW, their decayed sum for SGD and Muon.
    pub first: Tensor<3>,
    /// Running mean of squared gradients; 0 for SGD and Muon.
    pub second: Tensor<3>,
}

impl Moments {
    /// Zeros for `factor`.
    pub fn new(factor: &Tensor<3>) -> Self {
        Self {
            first: factor.zeros_like(),
            second: factor.zeros_like(),
        }
    }

    /// Takes in a gradient and returns the direction of each run's update.
    ///
    /// The three rules share the moments and differ in their coefficients: SGD's momentum is a
    /// first moment to which gradients are added whole. `orthogonalise` is Muon's, of the matrices that `gradient` holds; Muon
    /// gives it Nesterov's momentum, LoRA-Muon the momentum itself.
    ///
    /// # Shapes
    /// - `gradient`: [K, ·, ·], result the same
    pub fn direction(
        &mut self,
        gradient: Tensor<3>,
        factor: &FactorCoefficients,
        all: &Coefficients,
        orthogonalise: impl Fn(Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        let rules = &all.rules;
        self.first =
            self.first.clone() * factor.beta1.clone() + gradient.clone() * factor.fresh1.clone();
        let mut direction = self.first.clone();
        if rules.adamw {
            self.second = self.second.clone() * factor.beta2.clone()
                + gradient.clone().square() * factor.fresh2.clone();
            direction = adamw::direction(self, factor, &all.eps);
            if let Some(sgd) = &rules.sgd {
                let mask = sgd.clone().expand(direction.dims());
                direction = direction.mask_where(mask, self.first.clone());
            }
        }
        if let Some(muon) = &rules.muon {
            let shape = direction.dims();
            let mut momentum = gradient + self.first.clone() * all.momentum.clone();
            if let Some(lora_muon) = &rules.lora_muon {
                let mask = lora_muon.clone().expand(shape);
                momentum = momentum.mask_where(mask, self.first.clone());
            }
            let mask = muon.clone().expand(shape);
            direction = direction.mask_where(mask, orthogonalise(momentum));
        }
        direction
    }
}
