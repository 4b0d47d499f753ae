//! Every run's hyper-parameters at one step, as tensors that broadcast over a bank.

use burn::tensor::{Bool, Device, Tensor, TensorData};

use super::{OptimizerSettings, Order, UpdateRule, precondition::Damping};

/// Hyper-parameters of all runs at one step, [K, 1, 1] each.
///
/// What is compared is the method and not the code path: runs differ in these values alone.
#[derive(Debug, Clone)]
pub struct Coefficients {
    /// Learning rate of A.
    pub lr_a: Tensor<3>,
    /// Learning rate of B.
    pub lr_b: Tensor<3>,
    /// 1 - lr · weight_decay for A.
    pub keep_a: Tensor<3>,
    /// 1 - lr · weight_decay for B.
    pub keep_b: Tensor<3>,
    /// Decay of the first moment.
    pub beta1: Tensor<3>,
    /// Decay of the second moment.
    pub beta2: Tensor<3>,
    /// 1 - beta1, rounded once from f64 as torch does; 1 - 0.999 in f32 would be off by 1e-5.
    pub fresh1: Tensor<3>,
    /// 1 - beta2, rounded once.
    pub fresh2: Tensor<3>,
    /// 1 / (1 - beta1^t).
    pub correction1: Tensor<3>,
    /// 1 / (1 - beta2^t).
    pub correction2: Tensor<3>,
    /// Added to the root of the second moment.
    pub eps: Tensor<3>,
    /// Largest gradient norm; infinity does not clip.
    pub max_grad_norm: Tensor<3>,
    /// Preconditioner of each run.
    pub damping: Damping,
    /// Runs that descend the gradient itself; `None` where all are AdamW.
    pub sgd: Option<Tensor<3, Bool>>,
    /// Runs whose second Gram matrix comes from the new A; `None` where there are none.
    pub sequential: Option<Tensor<3, Bool>>,
    /// Whether any run is preconditioned.
    pub preconditions: bool,
    /// Whether any run clips.
    pub clips: bool,
}

impl Coefficients {
    /// The values of `step`, which counts from 0, of `steps` in all.
    ///
    /// `stopped` runs get learning rates of 0.
    pub fn new(
        settings: &[OptimizerSettings],
        stopped: &[bool],
        step: u32,
        steps: u32,
        device: &Device,
    ) -> Self {
        let runs = settings.len();
        let rate = |index: usize| {
            let run = &settings[index];
            if stopped[index] {
                0.0
            } else {
                run.lr * run.schedule.factor(step, steps)
            }
        };
        let t = f64::from(step) + 1.0;
        type Formula<'a> = &'a dyn Fn(usize, &OptimizerSettings) -> f64;
        let formulas: [Formula<'_>; 13] = [
            &|k, _| rate(k),
            &|k, run| rate(k) * run.lr_ratio_b,
            &|k, run| 1.0 - rate(k) * run.weight_decay,
            &|k, run| 1.0 - rate(k) * run.lr_ratio_b * run.weight_decay,
            &|_, run| run.betas[0],
            &|_, run| run.betas[1],
            &|_, run| 1.0 - run.betas[0],
            &|_, run| 1.0 - run.betas[1],
            &|_, run| 1.0 / (1.0 - run.betas[0].powf(t)),
            &|_, run| 1.0 / (1.0 - run.betas[1].powf(t)),
            &|_, run| run.eps,
            // Not infinity: infinity over an infinite norm would be NaN in a run that does not clip.
            &|_, run| run.max_grad_norm.unwrap_or(f64::from(f32::MAX)),
            &|_, run| run.preconditioner.map_or(1.0, |p| p.damping),
        ];
        // One upload for all of them.
        let values: Vec<f32> = formulas
            .iter()
            .flat_map(|formula| {
                settings
                    .iter()
                    .enumerate()
                    .map(move |(k, run)| formula(k, run) as f32)
            })
            .collect();
        let table = Tensor::<3>::from_data(
            TensorData::new(values, [formulas.len() * runs, 1, 1]),
            device,
        );
        let [
            lr_a,
            lr_b,
            keep_a,
            keep_b,
            beta1,
            beta2,
            fresh1,
            fresh2,
            correction1,
            correction2,
            eps,
            max_grad_norm,
            damping,
        ] = std::array::from_fn(|i| table.clone().narrow(0, i * runs, runs));

        let mask = |holds: &dyn Fn(&OptimizerSettings) -> bool| {
            let values: Vec<bool> = settings.iter().map(holds).collect();
            Tensor::<3, Bool>::from_data(TensorData::new(values, [runs, 1, 1]), device)
        };
        let where_any = |holds: &dyn Fn(&OptimizerSettings) -> bool| {
            settings.iter().any(holds).then(|| mask(holds))
        };
        Self {
            lr_a,
            lr_b,
            keep_a,
            keep_b,
            beta1,
            beta2,
            fresh1,
            fresh2,
            correction1,
            correction2,
            eps,
            max_grad_norm,
            damping: Damping {
                damping,
                plain: mask(&|run| run.preconditioner.is_none()),
            },
            sgd: where_any(&|run| run.rule == UpdateRule::Sgd),
            sequential: where_any(&|run| {
                run.preconditioner
                    .is_some_and(|p| p.order == Order::Sequential)
            }),
            preconditions: settings.iter().any(|run| run.preconditioner.is_some()),
            clips: settings.iter().any(|run| run.max_grad_norm.is_some()),
        }
    }
}
