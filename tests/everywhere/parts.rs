//! A step in parts is the step: examples in micro-batches, blocks computed twice, and rows on several workers.

use riemann_lora::{
    data::Batch,
    model::{Base, Target},
    optim::OptimizerSettings,
    train::{Session, SessionError, SessionSettings},
};

use crate::support::{Fixture, LLAMA, for_both, settings, values};

/// A software adapter takes seconds for a step.
const STEPS: usize = if cfg!(feature = "webgpu") { 2 } else { 5 };

fn two_runs(targets: &[Target]) -> SessionSettings {
    SessionSettings {
        targets: targets.to_vec(),
        dropout: 0.1,
        ..settings(vec![
            OptimizerSettings::adamw(1e-2),
            OptimizerSettings::scaled_adamw(3e-3),
        ])
    }
}

fn batches(fixture: Fixture) -> Vec<Batch> {
    let golden = fixture.golden();
    let batches: Vec<Batch> = golden.batches.iter().map(|batch| batch.batch()).collect();
    batches.iter().cycle().take(STEPS).cloned().collect()
}

async fn losses(fixture: Fixture, model: &Base, settings: SessionSettings) -> Vec<Option<f64>> {
    let mut session = Session::new(model, settings).unwrap();
    let mut losses = Vec::new();
    for batch in batches(fixture) {
        let report = session.step(model, &batch).await.unwrap();
        losses.extend(report.runs.iter().map(|run| run.loss));
    }
    losses
}

fn check(found: &[Option<f64>], expected: &[Option<f64>]) {
    assert_eq!(found.len(), expected.len());
    for (step, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found.unwrap() - expected.unwrap()).abs();
        assert!(error < 1e-5, "{step}: {found:?} {expected:?}");
    }
    assert_ne!(
        expected[0],
        expected[expected.len() - 2],
        "nothing was trained"
    );
}

async fn a_step_in_parts_is_the_step(fixture: Fixture) {
    let model = fixture.model().await;
    let whole = two_runs(fixture.targets);
    let expected = losses(fixture, &model, whole.clone()).await;
    let all = [(1, true), (1, false), (0, true)];
    let tried = if cfg!(feature = "webgpu") {
        1
    } else {
        all.len()
    };
    for (micro_batch_size, gradient_checkpointing) in all.into_iter().take(tried) {
        let parts = SessionSettings {
            micro_batch_size,
            gradient_checkpointing,
            ..whole.clone()
        };
        check(&losses(fixture, &model, parts).await, &expected);
    }
}

for_both! { a_step_in_parts_is_the_step }

everywhere! {
    async fn shards_of_a_step_are_the_step() {
        let model = LLAMA.model().await;
        let settings = two_runs(&Target::LLAMA);
        let expected = losses(LLAMA, &model, settings.clone()).await;
        let new = || Session::new(&model, settings.clone()).unwrap();
        let (mut one, mut other) = (new(), new());
        let mut found = Vec::new();
        for batch in batches(LLAMA) {
            let shards = [
                one.shard(&model, &batch, 0, 2).await.unwrap(),
                other.shard(&model, &batch, 1, 2).await.unwrap(),
            ];
            let report = one.step_with_shards(&shards, &model.device).await.unwrap();
            other.step_with_shards(&shards, &model.device).await.unwrap();
            found.extend(report.runs.iter().map(|run| run.loss));
        }
        check(&found, &expected);
        for (one, other) in one.adapters().banks().zip(other.adapters().banks()) {
            assert_eq!(values(one.a.clone()).await, values(other.a.clone()).await);
            assert_eq!(values(one.b.clone()).await, values(other.b.clone()).await);
        }
    }
}

everywhere! {
    async fn a_shard_of_another_session_is_refused() {
        let model = LLAMA.model().await;
        let mut session = Session::new(&model, two_runs(&[Target::QProj])).unwrap();
        let none = session.step_with_shards(&[], &model.device).await;
        assert!(matches!(none, Err(SessionError::NoShard)), "{none:?}");
        let batch = &batches(LLAMA)[0];
        let beyond = session.shard(&model, batch, 2, 2).await;
        assert!(matches!(beyond, Err(SessionError::NoSuchShard { shard: 2, shards: 2 })), "{beyond:?}");
        let first = session.shard(&model, batch, 0, 2).await.unwrap();
        let fewer = session.step_with_shards(&[first], &model.device).await;
        assert!(matches!(fewer, Err(SessionError::Shards { found: 1, expected: 2 })), "{fewer:?}");
        session.shard(&model, batch, 0, 1).await.unwrap();
        let other = session.step_with_shards(&[vec![0.0; 3]], &model.device).await;
        assert!(matches!(other, Err(SessionError::Shard { found: 3, .. })), "{other:?}");
    }
}
