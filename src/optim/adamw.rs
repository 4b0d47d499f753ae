//! AdamW (Loshchilov and Hutter, arXiv 1711.05101), as torch computes it.

use burn::tensor::Tensor;

use super::Coefficients;

/// Moments of one factor of all runs, each of the factor's shape.
#[derive(Debug, Clone)]
pub struct Moments {
    /// Running mean of gradients.
    pub first: Tensor<3>,
    /// Running mean of squared gradients.
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

    /// Takes in a gradient and returns the direction of the update,
    /// `m̂ / (√v̂ + eps)` with both moments corrected for their start at zero.
    ///
    /// # Shapes
    /// - `gradient`: [K, ·, ·], result the same
    pub fn direction(&mut self, gradient: Tensor<3>, coefficients: &Coefficients) -> Tensor<3> {
        let c = coefficients;
        self.first = self.first.clone() * c.beta1.clone() + gradient.clone() * c.fresh1.clone();
        self.second = self.second.clone() * c.beta2.clone() + gradient.square() * c.fresh2.clone();
        let mean = self.first.clone() * c.correction1.clone();
        let root = (self.second.clone() * c.correction2.clone()).sqrt();
        mean / (root + c.eps.clone())
    }
}
