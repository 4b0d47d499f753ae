//! One update of all runs: clip, precondition, then AdamW, SGD or Muon.

use burn::tensor::Tensor;

use super::{
    Coefficients, Diagnostics, Moments,
    clip::{clip_factor, global_norm},
    precondition::{Grams, precondition_a, precondition_b, preconditioners},
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
    /// What is known of the step so far, where it was asked for.
    diagnostics: Option<Diagnostics>,
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

    /// Bytes of the moments of all runs, which is all that an optimizer keeps between steps.
    pub fn state_bytes(&self) -> usize {
        let tensors = self
            .moments
            .iter()
            .flat_map(|bank| [&bank.a, &bank.b])
            .flat_map(|moments| [&moments.first, &moments.second]);
        tensors
            .map(|t| t.shape().num_elements() * size_of::<f32>())
            .sum()
    }

    /// Clips by the global norm of the raw gradients, then preconditions. With `diagnoses` it also
    /// takes the step's diagnostics.
    ///
    /// `None` where there are no gradients.
    pub fn prepare(
        adapters: &Adapters,
        mut gradients: Vec<BankGradients>,
        coefficients: &Coefficients,
        diagnoses: bool,
    ) -> Option<Prepared> {
        for gradient in &mut gradients {
            // A factor at rest has no gradient, as a parameter of torch without `requires_grad`.
            if let Some(trained) = &coefficients.a.trained {
                gradient.a = gradient.a.clone() * trained.clone();
            }
            if let Some(trained) = &coefficients.b.trained {
                gradient.b = gradient.b.clone() * trained.clone();
            }
        }
        let norm = global_norm(gradients.iter().flat_map(|g| [&g.a, &g.b]))?;
        if coefficients.clips {
            let factor = clip_factor(norm.clone(), coefficients.max_grad_norm.clone());
            for gradient in &mut gradients {
                gradient.a = gradient.a.clone() * factor.clone();
                gradient.b = gradient.b.clone() * factor.clone();
            }
        }
        let mut raw_b = None;
        let mut diagnostics = None;
        if coefficients.preconditions || diagnoses {
            let grams = Grams::of_both(adapters, &coefficients.damping)?;
            let inverses = grams.inverses();
            if diagnoses {
                let scale = adapters.shape.scale();
                diagnostics = Some(Diagnostics::new(&grams, &inverses, adapters.runs, scale));
            }
            if coefficients.preconditions {
                if coefficients.sequential.is_some() {
                    raw_b = Some(gradients.iter().map(|g| g.b.clone()).collect());
                }
                let mut of_b = preconditioners(inverses, &coefficients.damping);
                let of_a = of_b.split_off(gradients.len());
                for ((gradient, of_b), of_a) in gradients.iter_mut().zip(of_b).zip(of_a) {
                    gradient.a = precondition_a(gradient.a.clone(), of_b);
                    gradient.b = precondition_b(gradient.b.clone(), of_a);
                }
            }
        }
        Some(Prepared {
            gradients,
            raw_b,
            norm,
            diagnostics,
        })
    }

    /// Updates moments and factors, and completes the diagnostics. Each bank has the coefficients that `of_bank` says,
    /// which differ in their learning rates alone.
    pub fn update<'a>(
        &mut self,
        adapters: &mut Adapters,
        prepared: Prepared,
        of_bank: impl Fn(usize) -> &'a Coefficients,
    ) -> Option<Diagnostics> {
        let Prepared {
            mut gradients,
            raw_b,
            mut diagnostics,
            ..
        } = prepared;
        let steps = adapters.banks_mut().zip(&mut self.moments).zip(&gradients);
        for (index, ((bank, moments), gradient)) in steps.enumerate() {
            let c = of_bank(index);
            let direction = moments.a.direction(gradient.a.clone(), &c.a, c);
            let updated = bank.a.clone() * c.a.keep.clone() - direction * c.a.lr.clone();
            replace(&mut bank.a, updated, &mut diagnostics);
        }
        let c = of_bank(0);
        if let (Some(raw_b), Some(sequential)) = (raw_b, &c.sequential)
            && let Some(grams) = Grams::of_a(adapters, &c.damping)
        {
            let late = preconditioners(grams.inverses(), &c.damping);
            for ((gradient, raw), late) in gradients.iter_mut().zip(raw_b).zip(late) {
                let late = precondition_b(raw, late);
                let mask = sequential.clone().expand(late.dims());
                gradient.b = gradient.b.clone().mask_where(mask, late);
            }
        }
        let steps = adapters.banks_mut().zip(&mut self.moments).zip(&gradients);
        for (index, ((bank, moments), gradient)) in steps.enumerate() {
            let c = of_bank(index);
            let direction = moments.b.direction(gradient.b.clone(), &c.b, c);
            let updated = bank.b.clone() * c.b.keep.clone() - direction * c.b.lr.clone();
            replace(&mut bank.b, updated, &mut diagnostics);
        }
        diagnostics
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

/// Puts `updated` in the place of `factor`, and tells the diagnostics how it changed.
fn replace(factor: &mut Tensor<3>, updated: Tensor<3>, diagnostics: &mut Option<Diagnostics>) {
    if let Some(diagnostics) = diagnostics {
        diagnostics.add_change(updated.clone() - factor.clone());
    }
    *factor = updated;
}
