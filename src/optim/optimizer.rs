//! One update of all runs: clip, precondition, then AdamW, SGD or Muon.

use burn::tensor::{Bool, Tensor};

use super::{
    BankLayout, Both, Coefficients, Diagnostics, Factor, Moments,
    clip::{clip_factor, global_norm},
    coefficients::FactorCoefficients,
    elements::sum_of_elements,
    muon,
    precondition::{Grams, Inverses, Metric, mean_eigenvalues_of_a},
    realignment::Basis,
    step_cap::capped,
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
    /// A when B's moment was last added to, and the other way round; `None` until a run realigns its momentum.
    bases: Option<Both<Tensor<3>>>,
    /// Mean eigenvalue of every bank's AAᵀ before the first step, [K, 1, M].
    initial: Tensor<3>,
}

/// What an optimizer keeps between steps, as banks in the order of [`Adapters::banks`].
#[derive(Debug, Clone)]
pub struct OptimizerState {
    /// Running means of gradients.
    pub first: Vec<Bank>,
    /// Running means of their squares.
    pub second: Vec<Bank>,
    /// In the place of A the A that B's moment is measured in, and the other way round; `None` where no run realigns its
    /// momentum.
    pub bases: Option<Vec<Bank>>,
    /// Mean eigenvalue of every bank's AAᵀ before the first step, [K, 1, M], in the order of a row; `None` takes the one of
    /// the adapters that the optimizer was made for.
    pub initial: Option<Tensor<3>>,
}

/// Gradients that are ready for the update, and what the second half of the step needs.
#[derive(Debug)]
pub struct Prepared {
    /// Clipped, and preconditioned where gradients are, [K, 1, P]; those of B only where no run is sequential.
    gradients: Both<Tensor<3>>,
    /// Of the factors before the step; `None` where nobody is preconditioned and nothing asked for.
    inverses: Option<Inverses>,
    /// Global norm of the raw gradients, [K, 1, 1].
    pub norm: Tensor<3>,
    /// What is known of the step so far, where it was asked for.
    diagnostics: Option<Diagnostics>,
}

/// How much is measured of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Of a run as a whole.
    ByRun,
    /// Of each layer, too.
    ByLayer,
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
            bases: None,
            initial: mean_eigenvalues_of_a(&layout, &factors.a),
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

    /// All that is kept beside the factors.
    pub fn state(&self) -> OptimizerState {
        let rows = |of: fn(&Moments) -> &Tensor<3>| Both {
            a: of(&self.moments.a).clone(),
            b: of(&self.moments.b).clone(),
        };
        let banks = |rows| self.layout.scatter_both(rows);
        OptimizerState {
            first: banks(&rows(|moments| &moments.first)),
            second: banks(&rows(|moments| &moments.second)),
            bases: self.bases.as_ref().map(banks),
            initial: Some(self.initial.clone()),
        }
    }

    /// Takes factors as the adapters had them, and the rest as [`Optimizer::state`] gave it.
    pub fn restore(&mut self, adapters: &mut Adapters, factors: &[Bank], state: OptimizerState) {
        self.factors = self.layout.gather_both(factors);
        self.show(adapters);
        let first = self.layout.gather_both(&state.first);
        let second = self.layout.gather_both(&state.second);
        self.bases = state.bases.map(|banks| self.layout.gather_both(&banks));
        if let Some(initial) = state.initial {
            self.initial = initial;
        }
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

    /// Bytes of what the optimizers of all runs keep between steps.
    pub fn state_bytes(&self) -> usize {
        let moments = [&self.moments.a, &self.moments.b];
        let moments = moments.map(|moments| [&moments.first, &moments.second]);
        let bases = self.bases.iter().flat_map(|bases| [&bases.a, &bases.b]);
        bases
            .chain(moments.into_iter().flatten())
            .map(|t| t.shape().num_elements() * size_of::<f32>())
            .sum()
    }

    /// Of each place in a table of layers the layer that it is about, counted block by block.
    pub fn layers(&self) -> &[usize] {
        self.layout.order()
    }

    /// Clips by the global norm of the raw gradients, then preconditions. With `diagnoses` it also
    /// takes the step's diagnostics.
    ///
    /// `gradients` are in the order of [`Adapters::banks`], in the shapes of the factors.
    pub fn prepare(
        &self,
        gradients: &[Bank],
        coefficients: &Coefficients,
        diagnoses: Option<Detail>,
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
        let mut prepared = Prepared {
            gradients: Both { a, b },
            inverses: None,
            norm,
            diagnostics: None,
        };
        if !(coefficients.preconditions() || diagnoses.is_some()) {
            return prepared;
        }
        let damping = &coefficients.damping;
        let grams = Grams::of_both(&self.layout, &self.factors, damping, &self.initial);
        let all = grams.inverses();
        if let Some(detail) = diagnoses {
            let by_layer = detail == Detail::ByLayer;
            prepared.diagnostics = Some(Diagnostics::new(&grams, &all, self.scale, by_layer));
        }
        let banks = self.layout.banks();
        let inverses = Both {
            a: all.clone().narrow(1, 0, banks),
            b: all.narrow(1, banks, banks),
        };
        if coefficients.preconditions_gradients {
            let metric = Metric {
                layout: &self.layout,
                inverses: &inverses,
                damping,
                plain: &damping.plain_gradient,
            };
            let Both { a, b } = &mut prepared.gradients;
            *a = metric.apply(Factor::A, a, &self.factors.a);
            if coefficients.sequential.is_none() {
                *b = metric.apply(Factor::B, b, &self.factors.b);
            }
        }
        prepared.inverses = Some(inverses);
        prepared
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
            mut inverses,
            mut diagnostics,
            ..
        } = prepared;
        let all = coefficients.most;
        let damping = &all.damping;
        let layout = &self.layout;
        if all.realigned.is_some() && self.bases.is_none() {
            // A moment of 0 is 0 in every basis.
            self.bases = Some(Both {
                a: self.factors.a.zeros_like(),
                b: self.factors.b.zeros_like(),
            });
        }
        let mut step = |factor,
                        gradient,
                        inverses: Option<&Inverses>,
                        moments: &mut Moments,
                        row: &mut Tensor<3>,
                        basis: Option<(&Tensor<3>, &mut Tensor<3>)>| {
            let own = coefficients.of(factor, layout);
            if let (Some(realigned), Some(inverses), Some((now, before))) =
                (&all.realigned, inverses, basis)
            {
                let inverses = inverses.of(factor);
                let basis = Basis {
                    inverses,
                    now,
                    before,
                };
                let realigned = in_turn(realigned, &own);
                moments.first = basis.carry(layout, factor, &moments.first, &realigned);
                let moved = realigned.expand(now.dims());
                *before = before.clone().mask_where(moved, now.clone());
            }
            let metric = |plain| {
                inverses.map(|inverses| Metric {
                    layout,
                    inverses,
                    damping,
                    plain,
                })
            };
            let orthogonalise = |update| {
                let metric = metric(&damping.euclidean).filter(|_| all.rules.lora_muon.is_some());
                orthogonalise(layout, factor, &update, metric, all)
            };
            let mut direction = moments.direction(gradient, &own, all, orthogonalise);
            if all.preconditions_updates
                && let Some(metric) = metric(&damping.plain_update)
            {
                direction = metric.apply(factor, &direction, row);
            }
            let mut change = direction * own.lr;
            if factor == Factor::A
                && let Some(longest) = &all.max_step_a
            {
                change = capped(layout, factor, &change, row, longest);
            }
            let updated = row.clone() * own.keep - change;
            if let Some(diagnostics) = &mut diagnostics {
                diagnostics.add_change(updated.clone() - row.clone());
            }
            *row = updated;
        };
        // Each moment is measured in what its gradient is preconditioned with.
        let mut now = self.bases.is_some().then(|| self.factors.clone());
        let bases = &mut self.bases;
        let Both { a: row_a, b: row_b } = &mut self.factors;
        let basis_of_a = now.as_ref().zip(bases.as_mut());
        step(
            Factor::A,
            a,
            inverses.as_ref(),
            &mut self.moments.a,
            row_a,
            basis_of_a.map(|(now, bases)| (&now.b, &mut bases.b)),
        );
        if let (Some(inverses), Some(sequential)) = (&mut inverses, &all.sequential) {
            let late = Grams::of_a(layout, row_a, damping, &self.initial).inverses();
            if let Some(Both { a: now, .. }) = &mut now {
                let sequential = sequential.clone().expand(now.dims());
                *now = now.clone().mask_where(sequential, row_a.clone());
            }
            let sequential = sequential.clone().unsqueeze_dim::<4>(1).expand(late.dims());
            inverses.b = inverses.b.clone().mask_where(sequential, late);
            if all.preconditions_gradients {
                let metric = Metric {
                    layout,
                    inverses,
                    damping,
                    plain: &damping.plain_gradient,
                };
                b = metric.apply(Factor::B, &b, row_b);
            }
        }
        let basis_of_b = now.as_ref().zip(bases.as_mut());
        step(
            Factor::B,
            b,
            inverses.as_ref(),
            &mut self.moments.b,
            row_b,
            basis_of_b.map(|(now, bases)| (&now.a, &mut bases.a)),
        );
        self.show(adapters);
        diagnostics
    }

    /// Sum of the elements of each run's factors without their signs, [K, 1, 1]: not finite where one of them is not.
    pub fn size_of_factors(&self) -> Tensor<3> {
        let size = |row: &Tensor<3>| sum_of_elements(row.clone().abs());
        size(&self.factors.a) + size(&self.factors.b)
    }

    /// Sets factors, moments and their bases of run `index` to 0, so that its bank computes the base from now
    /// on and its values stay finite. The other runs' values are copied, not computed.
    pub fn clear_run(&mut self, adapters: &mut Adapters, index: usize) {
        let Self {
            factors,
            moments,
            bases,
            ..
        } = self;
        let rows = [
            &mut factors.a,
            &mut factors.b,
            &mut moments.a.first,
            &mut moments.a.second,
            &mut moments.b.first,
            &mut moments.b.second,
        ];
        let bases = bases
            .iter_mut()
            .flat_map(|bases| [&mut bases.a, &mut bases.b]);
        for row in rows.into_iter().chain(bases) {
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

/// Where `holds` and the factor is trained in this step.
fn in_turn(holds: &Tensor<3, Bool>, own: &FactorCoefficients) -> Tensor<3, Bool> {
    match &own.trained {
        None => holds.clone(),
        Some(trained) => holds.clone().bool_and(trained.clone().greater_elem(0.5)),
    }
}

/// Muon's, of every bank's matrix in a row; in `metric` where there is one.
fn orthogonalise(
    layout: &BankLayout,
    factor: Factor,
    row: &Tensor<3>,
    metric: Option<Metric<'_>>,
    all: &Coefficients,
) -> Tensor<3> {
    let inverses = metric.map(|metric| layout.split(factor, &metric.of(factor)));
    let groups = layout.groups(factor, row).into_iter().enumerate();
    let groups = groups.map(|(index, group)| {
        let [runs, banks, rows, columns] = group.dims();
        let wide = match factor {
            Factor::A => group,
            Factor::B => group.swap_dims(2, 3),
        }; // [K, m, r, long]
        let [_, _, rank, long] = wide.dims();
        let wide = wide.reshape([runs * banks, rank, long]);
        let inverse = inverses.as_ref().map(|of_groups| {
            let of_group = of_groups[index].clone();
            of_group.reshape([runs * banks, rank, rank])
        });
        let wide = muon::orthogonalise(wide, inverse).reshape([runs, banks, rank, long]);
        let group = match factor {
            Factor::A => wide,
            Factor::B => wide.swap_dims(2, 3),
        };
        let scaled = group.clone().mul_scalar(muon::shape_factor(rows, columns));
        match &all.rules.lora_muon {
            None => scaled,
            Some(mask) => {
                let mask = mask.clone().unsqueeze_dim::<4>(1).expand(group.dims());
                scaled.mask_where(mask, group)
            }
        }
    });
    BankLayout::row(groups.collect())
}
