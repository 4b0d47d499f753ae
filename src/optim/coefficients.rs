//! Every run's hyper-parameters at one step, as tensors that broadcast over a bank.

use burn::tensor::{Bool, Device, Tensor, TensorData};

use super::{
    DampingKind, Factor, OptimizerSettings, Order, Place, PreconditionerSettings, TrainedFactors,
    UpdateRule, precondition::Damping,
};

/// Hyper-parameters of one factor of all runs at one step, [K, 1, 1] each.
#[derive(Debug, Clone)]
pub struct FactorCoefficients {
    /// Learning rate.
    pub lr: Tensor<3>,
    /// 1 - lr · weight_decay.
    pub keep: Tensor<3>,
    /// What stays of the first moment: AdamW's first beta, or `momentum`.
    pub beta1: Tensor<3>,
    /// What stays of the second moment.
    pub beta2: Tensor<3>,
    /// What the gradient adds to the first moment: 1 - beta1 for AdamW, rounded once from f64 as
    /// torch does (1 - 0.999 in f32 would be off by 1e-5); 1 for the other rules.
    pub fresh1: Tensor<3>,
    /// What the squared gradient adds to the second moment.
    pub fresh2: Tensor<3>,
    /// 1 / (1 - beta1^t).
    pub correction1: Tensor<3>,
    /// 1 / (1 - beta2^t).
    pub correction2: Tensor<3>,
    /// 1 where the factor is trained in this step, 0 where it rests; `None` where all are trained.
    pub trained: Option<Tensor<3>>,
}

/// Which rules the runs follow.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Whether any run is AdamW.
    pub adamw: bool,
    /// Runs of SGD, [K, 1, 1]; `None` where there are none.
    pub sgd: Option<Tensor<3, Bool>>,
    /// Runs of Muon, [K, 1, 1]; `None` where there are none.
    pub muon: Option<Tensor<3, Bool>>,
    /// Those of them that are LoRA-Muon, [K, 1, 1]; `None` where there are none.
    pub lora_muon: Option<Tensor<3, Bool>>,
}

/// Hyper-parameters of all runs at one step, [K, 1, 1] each.
///
/// What is compared is the method and not the code path: runs differ in these values alone.
#[derive(Debug, Clone)]
pub struct Coefficients {
    /// Of A.
    pub a: FactorCoefficients,
    /// Of B.
    pub b: FactorCoefficients,
    /// Added to the root of the second moment.
    pub eps: Tensor<3>,
    /// Momentum of SGD and Muon.
    pub momentum: Tensor<3>,
    /// Largest gradient norm; a run that does not clip has the largest number there is.
    pub max_grad_norm: Tensor<3>,
    /// Longest step of A over A's norm, with the largest number there is for a run without; `None` where no run has one.
    pub max_step_a: Option<Tensor<3>>,
    /// Runs whose first moments are carried over between bases, [K, 1, 1]; `None` where there are none.
    pub realigned: Option<Tensor<3, Bool>>,
    /// Preconditioner of each run.
    pub damping: Damping,
    /// How updates are made.
    pub rules: Rules,
    /// Runs whose second Gram matrix comes from the new A; `None` where there are none.
    pub sequential: Option<Tensor<3, Bool>>,
    /// Whether any run's gradient is preconditioned.
    pub preconditions_gradients: bool,
    /// Whether any run's update is preconditioned.
    pub preconditions_updates: bool,
    /// Whether any run clips.
    pub clips: bool,
}

/// Whether `factor` is trained at `step`, and how many updates it will then have had.
fn turn(trains: TrainedFactors, factor: Factor, step: u32) -> (bool, f64) {
    let every = (true, f64::from(step) + 1.0);
    match (trains, factor) {
        (TrainedFactors::Both, _) | (TrainedFactors::B, Factor::B) => every,
        (TrainedFactors::B, Factor::A) => (false, 1.0),
        (TrainedFactors::Alternating, Factor::B) => {
            (step.is_multiple_of(2), f64::from(step / 2) + 1.0)
        }
        (TrainedFactors::Alternating, Factor::A) => {
            // Before its first turn a factor counts one update: a correction of 1 / (1 - beta^0) has
            // no value.
            (
                !step.is_multiple_of(2),
                f64::from(step.div_ceil(2)).max(1.0),
            )
        }
    }
}

/// What is preconditioned in `run`; `None` where nothing is, or where it is Muon's metric that is.
fn place_of(run: &OptimizerSettings) -> Option<Place> {
    let place = run.preconditioner?.place;
    (run.rule != UpdateRule::Muon).then_some(place)
}

fn is_lora_muon(run: &OptimizerSettings) -> bool {
    run.rule == UpdateRule::Muon && run.preconditioner.is_some()
}

/// A factor's learning rate, and what it is multiplied with before the update.
///
/// LoRA-Muon (arXiv 2606.12921) gives each factor half of the step, and decays their product and not each of them: with
/// s = √(1 - lr · weight_decay) both are multiplied with s and their steps divided by it.
fn rate_and_keep(run: &OptimizerSettings, rate: f64) -> [f64; 2] {
    let keep = 1.0 - rate * run.weight_decay;
    if is_lora_muon(run) {
        let keep = keep.sqrt();
        return [rate / 2.0 / keep, keep];
    }
    [rate, keep]
}

/// One number a hyper-parameter, of one factor of one run at one step.
fn factor_values(run: &OptimizerSettings, factor: Factor, step: u32, rate: f64) -> [f64; 9] {
    let (trained, updates) = turn(run.trains, factor, step);
    let rate = match factor {
        Factor::A => rate,
        Factor::B => rate * run.lr_ratio_b,
    };
    let correction = |beta: f64| 1.0 / (1.0 - beta.powf(updates));
    let [beta1, beta2] = run.betas;
    let moments = match (trained, run.rule) {
        (false, _) => [1.0, 1.0, 0.0, 0.0],
        (true, UpdateRule::Adamw) => [beta1, beta2, 1.0 - beta1, 1.0 - beta2],
        (true, UpdateRule::Sgd | UpdateRule::Muon) => [run.momentum, 1.0, 1.0, 0.0],
    };
    let [rate, keep] = rate_and_keep(run, if trained { rate } else { 0.0 });
    [
        rate,
        keep,
        moments[0],
        moments[1],
        moments[2],
        moments[3],
        correction(beta1),
        correction(beta2),
        f64::from(u8::from(trained)),
    ]
}

impl Coefficients {
    /// Whether any run has use for the inverses of Gram matrices.
    pub fn preconditions(&self) -> bool {
        self.preconditions_gradients || self.preconditions_updates || self.rules.lora_muon.is_some()
    }

    /// The values of `step`, which counts from 0, of `steps` in all. `scale` is alpha / r.
    ///
    /// `stopped` runs get learning rates of 0.
    pub fn new(
        settings: &[OptimizerSettings],
        stopped: &[bool],
        step: u32,
        steps: u32,
        scale: f64,
        device: &Device,
    ) -> Self {
        let runs = settings.len();
        // One column a hyper-parameter and one row a run.
        let rows: Vec<Vec<f64>> = settings
            .iter()
            .zip(stopped)
            .map(|(run, stopped)| {
                let rate = match stopped {
                    true => 0.0,
                    false => run.lr * run.schedule.factor(step, steps),
                };
                let mut row = factor_values(run, Factor::A, step, rate).to_vec();
                row.extend(factor_values(run, Factor::B, step, rate));
                row.extend([
                    run.eps,
                    run.momentum,
                    // Not infinity: infinity over an infinite norm would be NaN in a run that does
                    // not clip.
                    run.max_grad_norm.unwrap_or(f64::from(f32::MAX)),
                    run.max_step_a.unwrap_or(f64::from(f32::MAX)),
                    run.preconditioner
                        .map_or(Damping::OF_PLAIN_RUNS, |p| p.damping),
                    match run.preconditioner {
                        Some(p) if p.scale_aware => 1.0 / (scale * scale),
                        _ => 1.0,
                    },
                    match run.preconditioner {
                        Some(p) if p.tangent => 0.5,
                        _ => 0.0,
                    },
                ]);
                row
            })
            .collect();
        let columns = rows.first().map_or(0, Vec::len);
        // Each is a tensor of its own: parts of one would each be a launch on a GPU, because they begin at odd places.
        let mut next = 0..columns;
        let mut column = || {
            let column = next.next().unwrap_or_default();
            let values: Vec<f32> = rows.iter().map(|row| row[column] as f32).collect();
            Tensor::<3>::from_data(TensorData::new(values, [runs, 1, 1]), device)
        };

        let all_trained = settings
            .iter()
            .all(|run| run.trains == TrainedFactors::Both);
        let mut factor = || FactorCoefficients {
            lr: column(),
            keep: column(),
            beta1: column(),
            beta2: column(),
            fresh1: column(),
            fresh2: column(),
            correction1: column(),
            correction2: column(),
            trained: Some(column()).filter(|_| !all_trained),
        };
        let (a, b) = (factor(), factor());
        let [
            eps,
            momentum,
            max_grad_norm,
            max_step_a,
            damping,
            gain,
            common,
        ] = std::array::from_fn(|_| column());

        let mask = |holds: &dyn Fn(&OptimizerSettings) -> bool| {
            let values: Vec<bool> = settings.iter().map(holds).collect();
            Tensor::<3, Bool>::from_data(TensorData::new(values, [runs, 1, 1]), device)
        };
        let any = |holds: &dyn Fn(&OptimizerSettings) -> bool| settings.iter().any(holds);
        let where_any =
            |holds: &dyn Fn(&OptimizerSettings) -> bool| any(holds).then(|| mask(holds));
        let where_metric = |holds: &dyn Fn(&PreconditionerSettings) -> bool| {
            where_any(&|run| run.preconditioner.is_some_and(|p| holds(&p)))
        };
        Self {
            a,
            b,
            eps,
            momentum,
            max_grad_norm,
            max_step_a: any(&|run| run.max_step_a.is_some()).then_some(max_step_a),
            realigned: where_any(&|run| {
                place_of(run) == Some(Place::Gradient)
                    && run.preconditioner.is_some_and(|p| p.realigns_momentum)
            }),
            damping: Damping {
                damping,
                plain_gradient: mask(&|run| place_of(run) != Some(Place::Gradient)),
                plain_update: mask(&|run| place_of(run) != Some(Place::Update)),
                euclidean: mask(&|run| run.preconditioner.is_none()),
                relative: where_metric(&|p| p.damping_kind == DampingKind::Relative),
                initial: where_metric(&|p| p.damping_kind == DampingKind::Initial),
                gain: where_metric(&|p| p.scale_aware).map(|_| gain),
                common: where_metric(&|p| p.tangent).map(|_| common),
            },
            rules: Rules {
                adamw: any(&|run| run.rule == UpdateRule::Adamw),
                sgd: where_any(&|run| run.rule == UpdateRule::Sgd),
                muon: where_any(&|run| run.rule == UpdateRule::Muon),
                lora_muon: where_any(&is_lora_muon),
            },
            sequential: where_metric(&|p| p.order == Order::Sequential),
            preconditions_gradients: any(&|run| place_of(run) == Some(Place::Gradient)),
            preconditions_updates: any(&|run| place_of(run) == Some(Place::Update)),
            clips: any(&|run| run.max_grad_norm.is_some()),
        }
    }
}
