//! Properties of a bank: runs do not touch each other.

use riemann_lora::{
    model::{Base, Target},
    optim::{OptimizerSettings, UpdateRule},
    train::{NoAdapter, Session, SessionSettings},
};

use crate::support::{Fixture, GPT2, LLAMA, difference, golden, model, norm, settings, values};

/// Losses of every run at every step, one list a run.
async fn losses(model: &Base, session: &mut Session, steps: usize) -> Vec<Vec<Option<f64>>> {
    let mut losses = vec![Vec::new(); session.settings().runs.len()];
    for batch in golden().batches.iter().cycle().take(steps) {
        let report = session.step(model, &batch.batch()).await.unwrap();
        for (list, run) in losses.iter_mut().zip(report.runs) {
            list.push(run.loss);
        }
    }
    losses
}

async fn check_runs_in_a_bank(fixture: Fixture, targets: &[Target]) {
    let model = fixture.model().await;
    let settings = |runs| SessionSettings {
        targets: targets.to_vec(),
        ..settings(runs)
    };
    let runs = [
        OptimizerSettings::adamw(1e-2),
        OptimizerSettings::scaled_adamw(1e-2),
        OptimizerSettings {
            max_grad_norm: Some(0.5),
            ..OptimizerSettings::scaled_adamw(3e-3)
        },
        OptimizerSettings {
            lr_ratio_b: 16.0,
            weight_decay: 0.1,
            ..OptimizerSettings::adamw(1e-3)
        },
    ];
    let mut bank = Session::new(&model, settings(runs.to_vec())).unwrap();
    let together = losses(&model, &mut bank, 10).await;
    for (index, run) in runs.into_iter().enumerate() {
        let mut single = Session::new(&model, settings(vec![run])).unwrap();
        let alone = losses(&model, &mut single, 10).await;
        for (x, y) in together[index].iter().zip(&alone[0]) {
            assert!(
                (x.unwrap() - y.unwrap()).abs() < 1e-5,
                "run {index}: {x:?} {y:?}"
            );
        }
        let (mut error, mut size) = (Vec::new(), Vec::new());
        for (x, y) in bank
            .adapters()
            .run(index)
            .banks()
            .zip(single.adapters().banks())
        {
            let (x, y) = (values(x.b.clone()).await, values(y.b.clone()).await);
            error.extend(x.iter().zip(&y).map(|(x, y)| f64::from(x - y)));
            size.extend(y.into_iter().map(f64::from));
        }
        let (error, size) = (norm(error), norm(size));
        assert!(
            error < 1e-5 * size.max(1.0),
            "run {index}: {error} of {size}"
        );
    }
}

everywhere! {
    async fn a_run_in_a_bank_is_the_run_alone() {
        check_runs_in_a_bank(LLAMA, &Target::LLAMA).await;
    }
}

everywhere! {
    async fn a_run_of_gpt2_in_a_bank_is_the_run_alone() {
        check_runs_in_a_bank(GPT2, GPT2.targets).await;
    }
}

everywhere! {
    async fn a_run_on_parts_of_gpt2_in_a_bank_is_the_run_alone() {
        check_runs_in_a_bank(GPT2, &[Target::QProj, Target::VProj]).await;
    }
}

everywhere! {
    /// Each part's gradient is preconditioned with its own factors: an adapter on the values moves in its first step as
    /// it does beside no other.
    async fn parts_are_preconditioned_apart() {
        let model = GPT2.model().await;
        let run = OptimizerSettings { rule: UpdateRule::Sgd, ..OptimizerSettings::scaled_adamw(1e-2) };
        let mut found = Vec::new();
        for targets in [vec![Target::VProj], vec![Target::QProj, Target::VProj]] {
            let wanted = SessionSettings { targets, ..settings(vec![run]) };
            let mut session = Session::new(&model, wanted).unwrap();
            losses(&model, &mut session, 1).await;
            let bank = session.adapters().bank(1, Target::VProj).unwrap();
            found.push(values(bank.b.clone()).await);
        }
        assert!(norm(found[0].iter().map(|&v| f64::from(v))) > 1e-3);
        assert!(difference(&found[0], &found[1]) < 1e-6);
    }
}

everywhere! {
    async fn targets_that_a_base_lacks_are_refused() {
        let run = || vec![OptimizerSettings::adamw(1e-3)];
        let cases: [(Fixture, &[Target], &str); 4] = [
            (GPT2, &[Target::QProj, Target::GateProj], "targets is gate_proj; a GPT-2 has no such layer; choose among q_proj, k_proj, v_proj, o_proj, up_proj, down_proj, c_attn"),
            (LLAMA, &[Target::CAttn], "targets is c_attn; a Llama has no such layer; choose among q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj"),
            (GPT2, &[Target::CAttn, Target::VProj], "targets is v_proj and c_attn; the first is a part of the second; choose the whole or its parts"),
            (GPT2, &[], "choose at least one"),
        ];
        for (fixture, targets, expected) in cases {
            let model = fixture.model().await;
            let wanted = SessionSettings { targets: targets.to_vec(), ..settings(run()) };
            let error = Session::new(&model, wanted).unwrap_err();
            assert_eq!(error.field().as_deref(), Some("targets"));
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}

everywhere! {
    /// GPT-2 has no position after the last of its context.
    async fn a_sequence_longer_than_the_context_is_refused() {
        for fixture in [LLAMA, GPT2] {
            let model = fixture.model().await;
            let mut session = Session::new(&model, fixture.settings(vec![OptimizerSettings::adamw(1e-3)])).unwrap();
            let mut batch = riemann_lora::data::Batch { rows: 1, tokens: 129, ids: vec![5; 129], labels: vec![5; 129] };
            let expected = "a sequence has 129 tokens, and this model reads 128; choose a sequence length of 128 or fewer";
            let error = session.evaluate(&model, &batch).await.unwrap_err();
            assert_eq!(error.to_string(), expected);
            let error = session.step(&model, &batch).await.unwrap_err();
            assert_eq!(error.to_string(), expected);
            batch.tokens = 128;
            batch.ids.pop();
            batch.labels.pop();
            let report = session.step(&model, &batch).await.unwrap();
            assert_eq!(report.counted_tokens, 127);
        }
    }
}

everywhere! {
    async fn a_plain_run_is_untouched_by_its_neighbours_preconditioner() {
        let model = model().await;
        let plain = OptimizerSettings::adamw(1e-2);
        let beside_plain = settings(vec![plain, plain]);
        let beside_scaled = settings(vec![plain, OptimizerSettings::scaled_adamw(1e-2)]);
        let mut first = Session::new(&model, beside_plain).unwrap();
        let mut second = Session::new(&model, beside_scaled).unwrap();
        let first = losses(&model, &mut first, 6).await;
        let second = losses(&model, &mut second, 6).await;
        assert_eq!(first[0], second[0]);
        assert_ne!(second[0], second[1]);
    }
}

everywhere! {
    async fn a_diverged_run_is_marked_and_the_other_goes_on_bit_equal() {
        let model = model().await;
        let calm = OptimizerSettings::adamw(1e-3);
        let wild = OptimizerSettings { lr: 1e30, ..OptimizerSettings::scaled_adamw(1.0) };
        let mut both = Session::new(&model, settings(vec![calm, wild])).unwrap();
        let mut calm_twice = Session::new(&model, settings(vec![calm, calm])).unwrap();
        let found = losses(&model, &mut both, 8).await;
        let expected = losses(&model, &mut calm_twice, 8).await;
        assert_eq!(found[0], expected[0]);
        assert!(found[0].iter().all(Option::is_some));

        let report = both.step(&model, &golden().batches[0].batch()).await.unwrap();
        let marked = report.runs[1].diverged_at.unwrap();
        assert!((2..=3).contains(&marked), "{marked}");
        assert_eq!(report.runs[0].diverged_at, None);
        let after = marked as usize - 1;
        assert!(found[1][..after].iter().all(Option::is_some));
        assert!(found[1][after..].iter().all(Option::is_none));
        assert!(!both.is_finished());

        assert_eq!(both.adapter(1).unwrap_err(), NoAdapter::Diverged(marked));
        assert_eq!(both.adapter(2).unwrap_err(), NoAdapter::NoSuchRun);
        let trained = both.trained_runs();
        assert_eq!(trained.runs, [0]);
        let (alone, beside) = (both.adapter(0).unwrap(), trained.adapters.unwrap());
        assert_eq!((alone.runs, beside.runs), (1, 1));
        for (one, other) in alone.banks().zip(beside.banks()) {
            let one = values(one.b.clone()).await;
            assert!(one.iter().any(|&value| value != 0.0));
            assert_eq!(one, values(other.b.clone()).await);
        }
    }
}

everywhere! {
    async fn factors_that_an_update_makes_no_numbers_are_found_in_its_own_step() {
        let model = model().await;
        let wild = OptimizerSettings { weight_decay: 0.0, ..OptimizerSettings::adamw(1e38) };
        let wild = OptimizerSettings { lr_ratio_b: 3.0, ..wild };
        let calm = OptimizerSettings::adamw(1e-3);
        let mut session = Session::new(&model, settings(vec![wild, calm])).unwrap();
        let report = session.step(&model, &golden().batches[0].batch()).await.unwrap();
        assert!(report.runs[0].loss.is_some());
        assert_eq!(report.runs[0].diverged_at, Some(1));
        assert_eq!(report.runs[1].diverged_at, None);
        assert_eq!(session.adapter(0).unwrap_err(), NoAdapter::Diverged(1));
        assert_eq!(session.trained_runs().runs, [1]);
    }
}

everywhere! {
    async fn fresh_adapters_have_the_distribution_of_peft() {
        let model = model().await;
        let session = Session::new(&model, settings(vec![OptimizerSettings::adamw(1e-3)])).unwrap();
        let again = Session::new(&model, settings(vec![OptimizerSettings::adamw(1.0)])).unwrap();
        for layer in 0..model.config.num_hidden_layers {
            for target in Target::LLAMA {
                let bank = session.adapters().bank(layer, target).unwrap();
                let a = values(bank.a.clone()).await;
                let bound = 1.0 / (target.shape(&model.config).unwrap().0 as f32).sqrt();
                assert!(a.iter().all(|v| v.abs() <= bound));
                let variance = a.iter().map(|v| v * v).sum::<f32>() / a.len() as f32;
                // A uniform variable of variance b²/3; 128 draws or more stay within 30 %.
                let ratio = variance / (bound * bound / 3.0);
                assert!((0.7..1.3).contains(&ratio), "{layer} {target:?}: {ratio}");
                assert!(values(bank.b.clone()).await.iter().all(|&v| v == 0.0));
                let same = again.adapters().bank(layer, target).unwrap();
                assert_eq!(a, values(same.a.clone()).await);
            }
        }
        let first = session.adapters().bank(0, Target::KProj).unwrap();
        let second = session.adapters().bank(1, Target::KProj).unwrap();
        assert!(difference(&values(first.a.clone()).await, &values(second.a.clone()).await) > 0.1);
    }
}

everywhere! {
    /// Dropout draws by step and not by run: two equal runs stay equal, and its strength shows.
    async fn dropout_is_shared_by_runs_and_changes_the_gradient() {
        let model = model().await;
        let run = OptimizerSettings::adamw(1e-2);
        let mut dropped = settings(vec![run, run]);
        dropped.dropout = 0.5;
        let mut session = Session::new(&model, dropped.clone()).unwrap();
        let with = losses(&model, &mut session, 5).await;
        assert_eq!(with[0], with[1]);
        let mut session = Session::new(&model, dropped).unwrap();
        assert_eq!(with, losses(&model, &mut session, 5).await);
        let mut session = Session::new(&model, settings(vec![run])).unwrap();
        let without = losses(&model, &mut session, 5).await;
        // B is 0 at first, so the first loss is the base's either way.
        assert_eq!(with[0][0], without[0][0]);
        assert_ne!(with[0][4], without[0][4]);
    }
}

everywhere! {
    async fn settings_out_of_range_name_their_field() {
        let model = model().await;
        let good = settings(vec![OptimizerSettings::adamw(1e-3); 2]);
        type Change = fn(&mut riemann_lora::train::SessionSettings);
        let cases: [(&str, &str, Change); 20] = [
            ("rank", "between 1 and 16", |s| s.rank = 0),
            ("rank", "between 1 and 16", |s| s.rank = 17),
            ("alpha", "above 0", |s| s.alpha = f64::NAN),
            ("alpha", "single precision", |s| s.alpha = 1e39),
            ("alpha", "single precision", |s| s.alpha = 1e-300),
            ("dropout", "below 1", |s| s.dropout = 1.0),
            ("targets", "at least one", |s| s.targets.clear()),
            ("targets", "once", |s| s.targets = vec![Target::QProj; 2]),
            ("batch_size", "between 1 and 1024", |s| s.batch_size = 0),
            ("half_precision", "single precision only", |s| s.half_precision = true),
            ("steps", "between 1 and 16777216", |s| s.steps = 0),
            ("steps", "between 1 and 16777216", |s| s.steps = u32::MAX),
            ("runs", "between 1 and 64", |s| s.runs.clear()),
            ("runs.1.lr", "0, or between 1.2e-38 and 3.4e38", |s| s.runs[1].optimizer.lr = -1.0),
            ("runs.0.betas", "at most 0.9999999", |s| s.runs[0].optimizer.betas[1] = 1.0),
            ("runs.0.eps", "between 1.2e-38 and 3.4e38", |s| s.runs[0].optimizer.eps = f64::INFINITY),
            ("runs.1.max_grad_norm", "between 1.2e-38 and 3.4e38", |s| s.runs[1].optimizer.max_grad_norm = Some(0.0)),
            ("runs.1.lr_ratio_b", "its product with lr", |s| {
                s.runs[1].optimizer.lr = 1e30;
                s.runs[1].optimizer.lr_ratio_b = 1e30;
            }),
            ("alpha", "with scale_aware", |s| {
                s.alpha = 1e30;
                s.runs[1].optimizer = OptimizerSettings::scaled_adamw(1e-3);
                s.runs[1].optimizer.preconditioner.as_mut().unwrap().scale_aware = true;
            }),
            ("runs.1.damping", "between 1.2e-38 and 3.4e38", |s| {
                s.runs[1].optimizer = OptimizerSettings::scaled_adamw(1e-3);
                s.runs[1].optimizer.preconditioner.as_mut().unwrap().damping = 0.0;
            }),
        ];
        for (field, words, change) in cases {
            let mut settings = good.clone();
            change(&mut settings);
            let error = Session::new(&model, settings).unwrap_err();
            assert_eq!(error.field().as_deref(), Some(field), "{error}");
            assert!(error.to_string().contains(words), "{error}");
        }
        assert!(Session::new(&model, good).is_ok());
    }
}
