//! One update of all runs: clip, precondition, then AdamW, SGD or Muon.

use burn::tensor::Tensor;

use super::{
    BankLayout, Both, Coefficients, Diagnostics, Factor, Moments,
    clip::{clip_factor, global_norm},
    coefficients::FactorCoefficients,
    elements::sum_of_elements,
    muon,
    precondition::{Grams, precondition_a, precondition_b, preconditioners},
};
use crate::model::{Adapters, Bank};

/// State of all runs' optimizers. The preconditioner has none.
#[derive(Debug, Clone)]
pub struct Optimizer {
    layout: BankLayout,
    scale: f64,
    /// The factors of all banks, [K, 1, P]; the adapters that are trained see parts of them.
    factors: Both<Tensor<3>>,
    moments: Both<Moments>,
}

/// Gradients that are ready for the update, and what the second half of the step needs.
#[derive(Debug)]
pub struct Prepared {
    /// Clipped and preconditioned, [K, 1, P]; of B only where the order is simultaneous.
    gradients: Both<Tensor<3>>,
    /// Clipped gradients of B before preconditioning, where a run is sequential.
    raw_b: Option<Tensor<3>>,
    /// Global norm of the raw gradients, [K, 1, 1].
    pub norm: Tensor<3>,
    /// What is known of the step so far, where it was asked for.
    diagnostics: Option<Diagnostics>,
}

/// The coefficients of a step. They differ between banks in their learning rates alone.
#[derive(Debug, Clone, Copy)]
pub struct BankCoefficients<'a> {
    /// Of all banks that have none of their own.
    pub most: &'a Coefficients,
    /// How many banks, from the first block on, have coefficients of their own, and these.
    pub first: Option<(usize, &'a Coefficients)>,
}

impl BankCoefficients<'_> {
    /// Those of `factor`, with learning rates that broadcast over its row.
    fn of(&self, factor: Factor, layout: &BankLayout) -> FactorCoefficients {
        let one = |all: &Coefficients| match factor {
            Factor::A => all.a.clone(),
            Factor::B => all.b.clone(),
        };
        let most = one(self.most);
        let Some((banks, own)) = self.first else {
            return most;
        };
        let own = one(own);
        let of_bank = |bank| if bank < banks { &own } else { &most };
        FactorCoefficients {
            lr: layout.spread(factor, |bank| of_bank(bank).lr.clone()),
            keep: layout.spread(factor, |bank| of_bank(bank).keep.clone()),
            ..most.clone()
        }
    }
}

impl Optimizer {
    /// Fresh state for `adapters`, whose factors become parts of what the optimizer holds.
    ///
    /// # Panics
    /// If no layer is adapted, which settings that have been checked do not ask for.
    pub fn new(adapters: &mut Adapters) -> Self {
        let shapes: Vec<(usize, usize)> = adapters
            .banks()
            .map(|bank| (bank.a.dims()[2], bank.b.dims()[1]))
            .collect();
        assert!(!shapes.is_empty(), "at least one layer is adapted");
        let layout = BankLayout::new(adapters.shape.rank, &shapes);
        let factors = layout.gather_both(adapters.banks());
        #[cfg(feature = "webgpu")]
        {
            adapters.gradient_places = Some(layout.gradient_places());
        }
        let optimizer = Self {
            scale: adapters.shape.scale(),
            moments: Both {
                a: Moments::new(&factors.a),
                b: Moments::new(&factors.b),
            },
            factors,
            layout,
        };
        optimizer.show(adapters);
        optimizer
    }

    /// Lets the adapters see the factors as they are now.
    fn show(&self, adapters: &mut Adapters) {
        let banks = self.layout.scatter_both(&self.factors);
        for (bank, now) in adapters.banks_mut().zip(banks) {
            *bank = now;
        }
    }

    /// First and second moments, as banks in the order of [`Adapters::banks`].
    pub fn moments(&self) -> [Vec<Bank>; 2] {
        let rows = |of: fn(&Moments) -> &Tensor<3>| Both {
            a: of(&self.moments.a).clone(),
            b: of(&self.moments.b).clone(),
        };
        [
            self.layout.scatter_both(&rows(|moments| &moments.first)),
            self.layout.scatter_both(&rows(|moments| &moments.second)),
        ]
    }

    /// Takes factors as the adapters had them, and moments as [`Optimizer::moments`] gave them.
    pub fn restore(
        &mut self,
        adapters: &mut Adapters,
        factors: &[Bank],
        [first, second]: [Vec<Bank>; 2],
    ) {
        self.factors = self.layout.gather_both(factors);
        self.show(adapters);
        let first = self.layout.gather_both(&first);
        let second = self.layout.gather_both(&second);
        self.moments = Both {
            a: Moments {
                first: first.a,
                second: second.a,
            },
            b: Moments {
                first: first.b,
                second: second.b,
            },
        };
    }

    /// Bytes of the moments of all runs, which is all that an optimizer keeps between steps.
    pub fn state_bytes(&self) -> usize {
        let moments = [&self.moments.a, &self.moments.b];
        let tensors = moments.map(|moments| [&moments.first, &moments.second]);
        tensors
            .iter()
            .flatten()
            .map(|t| t.shape().num_elements() * size_of::<f32>())
            .sum()
    }

    /// Clips by the global norm of the raw gradients, then preconditions. With `diagnoses` it also
    /// takes the step's diagnostics.
    ///
    /// `gradients` are in the order of [`Adapters::banks`], in the shapes of the factors.
    pub fn prepare(
        &self,
        gradients: &[Bank],
        coefficients: &Coefficients,
        diagnoses: bool,
    ) -> Prepared {
        let Both { mut a, mut b } = self.layout.gather_both(gradients);
        // A factor at rest has no gradient, as a parameter of torch without `requires_grad`.
        if let Some(trained) = &coefficients.a.trained {
            a = a * trained.clone();
        }
        if let Some(trained) = &coefficients.b.trained {
            b = b * trained.clone();
        }
        let norm = global_norm(&a, [&b]);
        if coefficients.clips {
            let factor = clip_factor(norm.clone(), coefficients.max_grad_norm.clone());
            a = a * factor.clone();
            b = b * factor;
        }
        let mut raw_b = None;
        let mut diagnostics = None;
        if coefficients.preconditions || diagnoses {
            let grams = Grams::of_both(&self.layout, &self.factors, &coefficients.damping);
            let inverses = grams.inverses();
            if diagnoses {
                diagnostics = Some(Diagnostics::new(&grams, &inverses, self.scale));
            }
            if coefficients.preconditions {
                if coefficients.sequential.is_some() {
                    raw_b = Some(b.clone());
                }
                let banks = self.layout.banks();
                let all = preconditioners(inverses, &coefficients.damping);
                a = precondition_a(&self.layout, &a, &all.clone().narrow(1, 0, banks));
                b = precondition_b(&self.layout, &b, &all.narrow(1, banks, banks));
            }
        }
        Prepared {
            gradients: Both { a, b },
            raw_b,
            norm,
            diagnostics,
        }
    }

    /// Updates moments and factors, and completes the diagnostics.
    pub fn update(
        &mut self,
        adapters: &mut Adapters,
        prepared: Prepared,
        coefficients: BankCoefficients<'_>,
    ) -> Option<Diagnostics> {
        let Prepared {
            gradients: Both { a, mut b },
            raw_b,
            mut diagnostics,
            ..
        } = prepared;
        let all = coefficients.most;
        let layout = &self.layout;
        let mut step = |factor, gradient, moments: &mut Moments, row: &mut Tensor<3>| {
            let own = coefficients.of(factor, layout);
            let orthogonalise = |update| orthogonalise(layout, factor, &update);
            let direction = moments.direction(gradient, &own, all, orthogonalise);
            let updated = row.clone() * own.keep - direction * own.lr;
            if let Some(diagnostics) = &mut diagnostics {
                diagnostics.add_change(updated.clone() - row.clone());
            }
            *row = updated;
        };
        step(Factor::A, a, &mut self.moments.a, &mut self.factors.a);
        if let (Some(raw), Some(sequential)) = (raw_b, &all.sequential) {
            let grams = Grams::of_a(layout, &self.factors.a, &all.damping);
            let late = preconditioners(grams.inverses(), &all.damping);
            let late = precondition_b(layout, &raw, &late);
            let mask = sequential.clone().expand(late.dims());
            b = b.mask_where(mask, late);
        }
        step(Factor::B, b, &mut self.moments.b, &mut self.factors.b);
        self.show(adapters);
        diagnostics
    }

    /// Sum of the elements of each run's factors without their signs, [K, 1, 1]: not finite where one of them is not.
    pub fn size_of_factors(&self) -> Tensor<3> {
        let size = |row: &Tensor<3>| sum_of_elements(row.clone().abs());
        size(&self.factors.a) + size(&self.factors.b)
    }

    /// Sets factors and moments of run `index` to 0, so that its bank computes the base from now
    /// on and its values stay finite. The other runs' values are copied, not computed.
    pub fn clear_run(&mut self, adapters: &mut Adapters, index: usize) {
        let Self {
            factors, moments, ..
        } = self;
        for row in [
            &mut factors.a,
            &mut factors.b,
            &mut moments.a.first,
            &mut moments.a.second,
            &mut moments.b.first,
            &mut moments.b.second,
        ] {
            let [runs, rows, columns] = row.dims();
            let zero = Tensor::zeros([1, rows, columns], &row.device());
            debug_assert!(index < runs);
            *row = row
                .clone()
                .slice_assign([index..index + 1, 0..rows, 0..columns], zero);
        }
        self.show(adapters);
    }
}

/// Muon's, of every bank's matrix in a row.
fn orthogonalise(layout: &BankLayout, factor: Factor, row: &Tensor<3>) -> Tensor<3> {
    let groups = layout.groups(factor, row).into_iter().map(|group| {
        let shape @ [runs, banks, rows, columns] = group.dims();
        muon::orthogonalise(group.reshape([runs * banks, rows, columns])).reshape(shape)
    });
    BankLayout::row(groups.collect())
}
