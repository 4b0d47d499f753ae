//! One update of all runs: clip, precondition, then AdamW or SGD.

use burn::tensor::Tensor;

use super::{
    Coefficients,
    adamw::Moments,
    clip::{clip_factor, global_norm},
    precondition::{damped_inverses, gram_of_a, gram_of_b, precondition_a, precondition_b},
};
use crate::model::{Adapters, Bank};

/// Gradients of one bank, in the shapes of its factors.
#[derive(Debug, Clone)]
pub struct BankGradients {
    /// Of `lora_a`, [K, r, in].
    pub a: Tensor<3>,
    /// Of `lora_b`, [K, out, r].
    pub b: Tensor<3>,
}

/// Moments of one bank.
#[derive(Debug, Clone)]
pub struct BankMoments {
    /// Of `lora_a`.
    pub a: Moments,
    /// Of `lora_b`.
    pub b: Moments,
}

/// State of all runs' optimizers. The preconditioner has none.
#[derive(Debug, Clone)]
pub struct Optimizer {
    /// In the order of [`Adapters::banks`].
    pub moments: Vec<BankMoments>,
}

/// Gradients that are ready for the update, and what the second half of the step needs.
#[derive(Debug)]
pub struct Prepared {
    /// Clipped and preconditioned; of B only where the order is simultaneous.
    gradients: Vec<BankGradients>,
    /// Clipped gradients of B before preconditioning, where a run is sequential.
    raw_b: Option<Vec<Tensor<3>>>,
    /// Global norm of the raw gradients, [K, 1, 1].
    pub norm: Tensor<3>,
}

impl Optimizer {
    /// Fresh state for `adapters`.
    pub fn new(adapters: &Adapters) -> Self {
        let moments = adapters
            .banks()
            .map(|bank| BankMoments {
                a: Moments::new(&bank.a),
                b: Moments::new(&bank.b),
            })
            .collect();
        Self { moments }
    }

    /// Clips by the global norm of the raw gradients, then preconditions.
    ///
    /// `None` where there are no gradients.
    pub fn prepare(
        adapters: &Adapters,
        mut gradients: Vec<BankGradients>,
        coefficients: &Coefficients,
    ) -> Option<Prepared> {
        let norm = global_norm(gradients.iter().flat_map(|g| [&g.a, &g.b]))?;
        if coefficients.clips {
            let factor = clip_factor(norm.clone(), coefficients.max_grad_norm.clone());
            for gradient in &mut gradients {
                gradient.a = gradient.a.clone() * factor.clone();
                gradient.b = gradient.b.clone() * factor.clone();
            }
        }
        let mut raw_b = None;
        if coefficients.preconditions {
            if coefficients.sequential.is_some() {
                raw_b = Some(gradients.iter().map(|g| g.b.clone()).collect());
            }
            let grams = adapters
                .banks()
                .flat_map(|bank| [gram_of_b(bank), gram_of_a(bank)])
                .collect();
            let mut inverses = damped_inverses(grams, &coefficients.damping).into_iter();
            for gradient in &mut gradients {
                if let (Some(of_b), Some(of_a)) = (inverses.next(), inverses.next()) {
                    gradient.a = precondition_a(gradient.a.clone(), of_b);
                    gradient.b = precondition_b(gradient.b.clone(), of_a);
                }
            }
        }
        Some(Prepared {
            gradients,
            raw_b,
            norm,
        })
    }

    /// Updates moments and factors.
    pub fn update(
        &mut self,
        adapters: &mut Adapters,
        prepared: Prepared,
        coefficients: &Coefficients,
    ) {
        let c = coefficients;
        let Prepared {
            mut gradients,
            raw_b,
            ..
        } = prepared;
        let steps = adapters.banks_mut().zip(&mut self.moments).zip(&gradients);
        for ((bank, moments), gradient) in steps {
            let direction = direction(&mut moments.a, gradient.a.clone(), c);
            bank.a = bank.a.clone() * c.keep_a.clone() - direction * c.lr_a.clone();
        }
        if let (Some(raw_b), Some(sequential)) = (raw_b, &c.sequential) {
            let grams = adapters.banks().map(gram_of_a).collect();
            let inverses = damped_inverses(grams, &c.damping);
            for ((gradient, raw), inverse) in gradients.iter_mut().zip(raw_b).zip(inverses) {
                let late = precondition_b(raw, inverse);
                let mask = sequential.clone().expand(late.dims());
                gradient.b = gradient.b.clone().mask_where(mask, late);
            }
        }
        let steps = adapters.banks_mut().zip(&mut self.moments).zip(&gradients);
        for ((bank, moments), gradient) in steps {
            let direction = direction(&mut moments.b, gradient.b.clone(), c);
            bank.b = bank.b.clone() * c.keep_b.clone() - direction * c.lr_b.clone();
        }
    }

    /// Sets factors and moments of run `index` to 0, so that its bank computes the base from now
    /// on and its values stay finite. The other runs' values are copied, not computed.
    pub fn clear_run(&mut self, adapters: &mut Adapters, index: usize) {
        let clear = |tensor: &mut Tensor<3>| {
            let [runs, rows, columns] = tensor.dims();
            let zero = Tensor::zeros([1, rows, columns], &tensor.device());
            debug_assert!(index < runs);
            *tensor = tensor
                .clone()
                .slice_assign([index..index + 1, 0..rows, 0..columns], zero);
        };
        for (Bank { a, b }, moments) in adapters.banks_mut().zip(&mut self.moments) {
            for tensor in [
                a,
                b,
                &mut moments.a.first,
                &mut moments.a.second,
                &mut moments.b.first,
                &mut moments.b.second,
            ] {
                clear(tensor);
            }
        }
    }
}

/// The direction in which a factor moves: AdamW's, or the gradient itself for runs of SGD.
fn direction(moments: &mut Moments, gradient: Tensor<3>, c: &Coefficients) -> Tensor<3> {
    let adamw = moments.direction(gradient.clone(), c);
    match &c.sgd {
        None => adamw,
        Some(sgd) => adamw.mask_where(sgd.clone().expand(gradient.dims()), gradient),
    }
}
