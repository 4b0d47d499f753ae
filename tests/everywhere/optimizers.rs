//! Every optimizer on the same small problem: one table, one bank.

use burn::tensor::{Device, Tensor, TensorData};
use riemann_lora::{
    model::{AdapterShape, Adapters, Bank, Base, Target},
    optim::{
        BankCoefficients, Coefficients, DampingKind, Detail, Optimizer, OptimizerSettings, Place,
        PreconditionerSettings, TrainedFactors, UpdateRule, muon, presets,
    },
    train::{RunReport, Session},
};

use crate::support::{device, golden, model, norm, settings, values};

/// Learning rates that suit a tiny model on ten steps; what a preset's own is for is a real one.
fn lr_of(preset: &str) -> f64 {
    match preset {
        "sgd" | "sgd-paper" => 1.0,
        "sgd-momentum" => 0.1,
        "scaled-gd" | "scaled-gd-paper" | "tangent-gd" | "alt-lora" => 0.03,
        "lora-plus" => 1e-3,
        "muon" => 1e-2,
        "lora-muon" => 0.1,
        _ => 5e-3,
    }
}

fn table() -> (Vec<String>, Vec<OptimizerSettings>) {
    let mut rows: Vec<(String, OptimizerSettings)> = presets()
        .into_iter()
        .map(|preset| {
            let lr = lr_of(&preset.id);
            let optimizer = OptimizerSettings {
                lr,
                ..preset.for_steps(10)
            };
            (preset.id, optimizer)
        })
        .collect();
    let relative = PreconditionerSettings {
        damping_kind: DampingKind::Relative,
        ..PreconditionerSettings::new(1e-2)
    };
    rows.push((
        "relative damping".into(),
        OptimizerSettings {
            preconditioner: Some(relative),
            betas: [0.7, 0.8],
            ..OptimizerSettings::adamw(5e-3)
        },
    ));
    rows.push((
        "alternating adamw".into(),
        OptimizerSettings {
            trains: TrainedFactors::Alternating,
            ..OptimizerSettings::scaled_adamw(1e-2)
        },
    ));
    rows.into_iter().unzip()
}

async fn train(model: &Base, session: &mut Session, steps: usize) -> Vec<Vec<RunReport>> {
    let batch = golden().batches[0].batch();
    let mut reports = Vec::new();
    for _ in 0..steps {
        reports.push(session.step(model, &batch).await.unwrap().runs);
    }
    reports
}

everywhere! {
    async fn every_optimizer_descends_again_alike_and_resumes() {
        let model = model().await;
        let (names, optimizers) = table();
        let mut session = Session::new(&model, settings(optimizers.clone())).unwrap();
        let mut reports = train(&model, &mut session, 5).await;
        let saved = session.checkpoint().await.unwrap();
        reports.extend(train(&model, &mut session, 5).await);
        for (index, name) in names.iter().enumerate() {
            let first = reports[0][index].loss.unwrap();
            let last = reports[9][index].loss.unwrap();
            assert!(last < first - 0.01, "{name}: {first} to {last}");
            let found = reports[9][index].diagnostics.as_ref().unwrap();
            for value in [found.norm_a, found.norm_b, found.norm_delta, found.update_ratio] {
                assert!(value.is_some_and(f64::is_finite), "{name}: {found:?}");
            }
        }

        let mut again = Session::new(&model, settings(optimizers)).unwrap();
        assert_eq!(train(&model, &mut again, 10).await, reports);
        let mut resumed = Session::resume(&model, &saved).unwrap();
        assert_eq!(train(&model, &mut resumed, 5).await, reports[5..]);
    }
}

/// Both factors of run 0's first bank.
async fn factors(adapters: &Adapters) -> [Vec<f32>; 2] {
    let bank = &adapters.blocks[0][0];
    [values(bank.a.clone()).await, values(bank.b.clone()).await]
}

everywhere! {
    async fn a_factor_at_rest_stays_to_the_bit() {
        let model = model().await;
        let frozen = OptimizerSettings { trains: TrainedFactors::B, ..OptimizerSettings::adamw(1e-2) };
        let alternating = OptimizerSettings { trains: TrainedFactors::Alternating, ..frozen };
        let mut session = Session::new(&model, settings(vec![frozen])).unwrap();
        let [a, b] = factors(session.adapters()).await;
        train(&model, &mut session, 3).await;
        let after = factors(session.adapters()).await;
        assert_eq!(after[0], a);
        assert_ne!(after[1], b);

        let mut session = Session::new(&model, settings(vec![alternating])).unwrap();
        let mut before = factors(session.adapters()).await;
        for step in 0..4 {
            train(&model, &mut session, 1).await;
            let after = factors(session.adapters()).await;
            let (moved, rested) = if step % 2 == 0 { (1, 0) } else { (0, 1) };
            assert_ne!(after[moved], before[moved], "step {step}");
            assert_eq!(after[rested], before[rested], "step {step}");
            before = after;
        }
    }
}

everywhere! {
    /// One learning rate means the same at every alpha: B = 0 at first, so after one step of scaled
    /// GD on B, ΔW is lr · s² · G · (AAᵀ)⁻¹A / s² whatever s is.
    async fn scale_aware_makes_the_first_step_independent_of_alpha() {
        let model = model().await;
        let run = |scale_aware| OptimizerSettings {
            rule: UpdateRule::Sgd,
            preconditioner: Some(PreconditionerSettings {
                scale_aware,
                ..PreconditionerSettings::new(1e-6)
            }),
            ..OptimizerSettings::adamw(1e-3)
        };
        let mut norms = Vec::new();
        for alpha in [4.0, 16.0] {
            let mut wanted = settings(vec![run(true), run(false)]);
            wanted.alpha = alpha;
            let mut session = Session::new(&model, wanted).unwrap();
            let reports = train(&model, &mut session, 2).await;
            let of = |index: usize| {
                reports[1][index].diagnostics.as_ref().and_then(|found| found.norm_delta).unwrap()
            };
            norms.push([of(0), of(1)]);
        }
        let aware = norms[1][0] / norms[0][0];
        let unaware = norms[1][1] / norms[0][1];
        assert!((aware - 1.0).abs() < 1e-4, "{aware}");
        assert!((unaware - 16.0).abs() < 1e-2, "{unaware}");
    }
}

everywhere! {
    /// With δ a share of the mean eigenvalue, scaling a factor scales its inverse and nothing else:
    /// the preconditioned step on ΔW does not change with the balance of A and B.
    async fn relative_damping_does_not_see_the_balance_of_the_factors() {
        let model = model().await;
        let run = |damping_kind, damping| OptimizerSettings {
            rule: UpdateRule::Sgd,
            weight_decay: 0.0,
            preconditioner: Some(PreconditionerSettings {
                damping_kind,
                ..PreconditionerSettings::new(damping)
            }),
            ..OptimizerSettings::adamw(1e-3)
        };
        let runs = vec![run(DampingKind::Relative, 0.1), run(DampingKind::Absolute, 0.1)];
        let wanted = settings(runs);
        let start = crate::support::adapters(crate::support::adapter!("adapter_random"), &model, 2);
        let mut scaled = start.clone();
        for bank in scaled.banks_mut() {
            bank.a = bank.a.clone().mul_scalar(4.0);
            bank.b = bank.b.clone().div_scalar(4.0);
        }
        let mut deltas = Vec::new();
        for adapters in [start, scaled] {
            let mut session = Session::with_adapters(&model, wanted.clone(), adapters);
            train(&model, &mut session, 1).await;
            let bank = session.adapters().blocks[0][0].clone();
            deltas.push(values(bank.b.matmul(bank.a)).await);
        }
        let half = deltas[0].len() / 2;
        let error = |range: std::ops::Range<usize>| {
            let size = norm(range.clone().map(|i| f64::from(deltas[0][i])));
            norm(range.map(|i| f64::from(deltas[0][i] - deltas[1][i]))) / size
        };
        let (relative, absolute) = (error(0..half), error(half..2 * half));
        assert!(relative < 1e-5, "{relative} {absolute}");
        assert!(absolute > 1e-4, "{absolute}");
    }
}

const STEPS: &[u8] = include_bytes!("../fixtures/optimizers/steps.json");

/// What each optimizer makes of the same factors and gradients, as tests/fixtures/optimizers/make_optimizers.py
/// computes it.
#[derive(serde::Deserialize)]
struct GoldenSteps {
    rank: usize,
    alpha: f64,
    start: Vec<GoldenBank>,
    gradients: Vec<Vec<GoldenBank>>,
    cases: Vec<GoldenCase>,
}

#[derive(serde::Deserialize)]
struct GoldenCase {
    name: String,
    settings: OptimizerSettings,
    /// By steps done.
    after: std::collections::BTreeMap<usize, Vec<GoldenBank>>,
}

#[derive(serde::Deserialize)]
struct GoldenBank {
    a: Vec<Vec<f64>>,
    b: Vec<Vec<f64>>,
}

/// The same matrix for each of `runs`.
fn repeated(matrix: &[Vec<f64>], runs: usize, device: &Device) -> Tensor<3> {
    let values: Vec<f32> = matrix.iter().flatten().map(|&value| value as f32).collect();
    let shape = [1, matrix.len(), matrix[0].len()];
    Tensor::from_data(TensorData::new(values, shape), device).repeat_dim(0, runs)
}

everywhere! {
    /// All optimizers in one bank make of the same gradients what float64 does, each its own.
    async fn every_optimizer_makes_the_steps_of_its_formula() {
        let device = device().await;
        let golden: GoldenSteps = serde_json::from_slice(STEPS).unwrap();
        let runs = golden.cases.len();
        let settings: Vec<OptimizerSettings> = golden.cases.iter().map(|case| case.settings).collect();
        let banks = |banks: &[GoldenBank]| -> Vec<Bank> {
            let of = |matrix: &[Vec<f64>]| repeated(matrix, runs, &device);
            banks.iter().map(|bank| Bank { a: of(&bank.a), b: of(&bank.b) }).collect()
        };
        let shape = AdapterShape {
            rank: golden.rank,
            alpha: golden.alpha,
            use_rslora: false,
            targets: vec![Target::QProj],
        };
        let scale = shape.scale();
        let blocks = banks(&golden.start).into_iter().map(|bank| vec![bank]).collect();
        let mut adapters = Adapters::of_blocks(shape, runs, blocks);
        let mut optimizer = Optimizer::new(&mut adapters);
        let steps = golden.gradients.len();
        let details = [None, Some(Detail::ByRun), Some(Detail::ByLayer)];
        for (step, gradients) in golden.gradients.iter().enumerate() {
            let coefficients = Coefficients::new(
                &settings, &vec![false; runs], step as u32, steps as u32, scale, &device,
            );
            // Diagnostics change nothing.
            let prepared = optimizer.prepare(&banks(gradients), &coefficients, details[step % details.len()]);
            let coefficients = BankCoefficients { most: &coefficients, first: None };
            optimizer.update(&mut adapters, prepared, coefficients);
            for (index, bank) in adapters.banks().enumerate() {
                for (factor, found) in [("a", bank.a.clone()), ("b", bank.b.clone())] {
                    let found = values(found).await;
                    let length = found.len() / runs;
                    for (found, case) in found.chunks(length).zip(&golden.cases) {
                        let Some(expected) = case.after.get(&(step + 1)) else { continue };
                        let expected = &expected[index];
                        let expected = if factor == "a" { &expected.a } else { &expected.b };
                        let expected: Vec<f64> = expected.iter().flatten().copied().collect();
                        let error = norm(found.iter().zip(&expected).map(|(x, y)| f64::from(*x) - y));
                        let relative = error / norm(expected);
                        assert!(relative < 2e-5, "{}, lora_{factor} {index}, step {step}: {relative}", case.name);
                    }
                }
            }
        }
    }
}

everywhere! {
    /// Singular values of 1 to 0.006 of the norm end between 0.68 and 1.21 (the quintic's own range, from 0.05 on; smaller
    /// ones grow by 3.4 an iteration at most), and what is orthogonal already keeps its directions.
    async fn muon_brings_singular_values_into_its_range() {
        let device = device().await;
        let (rank, inputs) = (4, 24);
        let sizes = [1.0_f32, 0.5, 0.2, 0.06];
        let values_of: Vec<f32> = (0..rank * inputs)
            .map(|i| if i % inputs == i / inputs { sizes[i / inputs] } else { 0.0 })
            .collect();
        let a = Tensor::<3>::from_data(TensorData::new(values_of, [1, rank, inputs]), &device);
        let wide = values(muon::direction(a.clone())).await;
        let tall = values(muon::direction(a.swap_dims(1, 2)).swap_dims(1, 2)).await;
        let grow = muon::shape_factor(inputs, rank) as f32;
        for (i, (wide, tall)) in wide.iter().zip(&tall).enumerate() {
            let range = if i % inputs == i / inputs { 0.68..1.21 } else { -1e-6..1e-6 };
            assert!(range.contains(wide), "{i}: {wide}");
            assert!((wide * grow - tall).abs() < 1e-4, "{i}: {wide} {tall}");
        }
    }
}

everywhere! {
    /// The same ΔW can be held by factors (B, A) and (B·R, R⁻¹·A). A method that knows nothing of the factors but ΔW takes
    /// it the same way from either; one that sees the factors themselves does not. Damping sees them a little.
    async fn which_methods_do_not_see_how_delta_w_is_factored() {
        let model = model().await;
        let base = OptimizerSettings { lr: 1e-3, weight_decay: 0.0, ..OptimizerSettings::adamw(1e-3) };
        let metric = |place, tangent| Some(PreconditionerSettings {
            place,
            tangent,
            ..PreconditionerSettings::new(1e-9)
        });
        let gd = OptimizerSettings { rule: UpdateRule::Sgd, ..base };
        let muon = OptimizerSettings { rule: UpdateRule::Muon, ..base };
        let of_gradients = metric(Place::Gradient, false);
        let cases = [
            ("scaled GD", true, OptimizerSettings { preconditioner: of_gradients, ..gd }),
            ("tangent GD", true, OptimizerSettings { preconditioner: metric(Place::Gradient, true), ..gd }),
            ("AltLoRA", true, OptimizerSettings {
                preconditioner: of_gradients, trains: TrainedFactors::Alternating, ..gd
            }),
            ("LoRA-Muon", true, OptimizerSettings { preconditioner: of_gradients, ..muon }),
            ("SGD", false, gd),
            ("AdamW", false, base),
            ("scaled AdamW", false, OptimizerSettings { preconditioner: of_gradients, ..base }),
            ("AdamW, update preconditioned", false, OptimizerSettings {
                preconditioner: metric(Place::Update, false), ..base
            }),
            ("Muon", false, muon),
        ];
        let runs = cases.len();
        let wanted = settings(cases.iter().map(|(_, _, optimizer)| *optimizer).collect());
        let start = crate::support::adapters(crate::support::adapter!("adapter_random"), &model, runs);
        let mut turned = start.clone();
        // An upper triangular R, which turns, stretches and shears.
        let r = [[2.0_f32, 0.5, -1.0, 0.0], [0.0, 0.5, 0.25, 1.0], [0.0, 0.0, 4.0, -0.5], [0.0, 0.0, 0.0, 1.0]];
        let inverse = [
            [0.5_f32, -0.5, 0.156_25, 0.578_125],
            [0.0, 2.0, -0.125, -2.062_5],
            [0.0, 0.0, 0.25, 0.125],
            [0.0, 0.0, 0.0, 1.0],
        ];
        let matrix = |values: [[f32; 4]; 4]| {
            Tensor::<3>::from_data(TensorData::new(values.concat(), [1, 4, 4]), &model.device).repeat_dim(0, runs)
        };
        for bank in turned.banks_mut() {
            bank.b = bank.b.clone().matmul(matrix(r));
            bank.a = matrix(inverse).matmul(bank.a.clone());
        }
        let mut paths = Vec::new();
        for adapters in [start, turned] {
            let first = adapters.blocks[0][0].clone();
            let mut session = Session::with_adapters(&model, wanted.clone(), adapters);
            train(&model, &mut session, 3).await;
            let bank = session.adapters().blocks[0][0].clone();
            paths.push(values(bank.b.matmul(bank.a) - first.b.matmul(first.a)).await);
        }
        let length = paths[0].len() / runs;
        for (index, (name, invariant, _)) in cases.iter().enumerate() {
            let of_run = |path: &[f32]| path[index * length..(index + 1) * length].to_vec();
            let (one, other) = (of_run(&paths[0]), of_run(&paths[1]));
            let size = norm(one.iter().map(|&value| f64::from(value)));
            let apart = norm(one.iter().zip(&other).map(|(x, y)| f64::from(x - y))) / size;
            assert_eq!(apart < 1e-2, *invariant, "{name}: {apart}");
        }
    }
}
