//! Every optimizer on the same small problem: one table, one bank.

use burn::tensor::{Tensor, TensorData};
use riemann_lora::{
    model::{Adapters, Base},
    optim::{
        DampingKind, OptimizerSettings, PreconditionerSettings, TrainedFactors, UpdateRule, muon,
        precondition::{gram_of_a, gram_of_b},
        presets,
    },
    train::{RunReport, Session},
};

use crate::support::{device, golden, model, norm, settings, values};

/// Learning rates that suit a tiny model on ten steps; what a preset's own is for is a real one.
fn lr_of(preset: &str) -> f64 {
    match preset {
        "sgd" | "sgd-paper" => 1.0,
        "sgd-momentum" => 0.1,
        "scaled-gd" | "scaled-gd-paper" | "alt-lora" => 0.03,
        "lora-plus" => 1e-3,
        "muon" => 1e-2,
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

everywhere! {
    /// All singular values end between 0.5 and 1.5, whatever they were, so UUᵀ is near I.
    async fn muon_makes_a_factor_nearly_orthogonal() {
        let device = device().await;
        let (rank, inputs) = (4, 24);
        // Rows of very different sizes and not orthogonal.
        let update: Vec<f32> = (0..rank * inputs)
            .map(|i| ((i * 7919 % 101) as f32 / 50.0 - 1.0) * 3.0_f32.powi(-((i / inputs) as i32)))
            .collect();
        let a = Tensor::<3>::from_data(TensorData::new(update, [1, rank, inputs]), &device);
        let wide = muon::orthogonalise(a.clone());
        let tall = muon::orthogonalise(a.swap_dims(1, 2));
        let grow = (inputs as f64 / rank as f64).sqrt();
        let b = tall.clone().div_scalar(grow);
        for gram in [gram_of_a(wide.clone().unsqueeze()), gram_of_b(b.unsqueeze())] {
            let gram = values(gram).await;
            for (i, value) in gram.iter().enumerate() {
                let (row, column) = (i / rank, i % rank);
                let range = if row == column { 0.3..1.6 } else { -0.5..0.5 };
                assert!(range.contains(value), "{row} {column}: {value}");
            }
        }
        let (wide, tall) = (values(wide.swap_dims(1, 2)).await, values(tall).await);
        for (x, y) in wide.iter().zip(&tall) {
            assert!((f64::from(*x) * grow - f64::from(*y)).abs() < 1e-3, "{x} {y}");
        }
    }
}
