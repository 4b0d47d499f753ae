//! Ten steps of every optimizer case against torch: losses, gradient norms, and the adapters that come out.

use riemann_lora::{
    model::{Adapters, Base},
    optim::OptimizerSettings,
    peft,
    train::Session,
};

use crate::support::{Fixture, adapters, for_both, norm, values};

/// Trains one golden case beside `neighbours`, and returns its losses and adapters.
async fn train(
    fixture: Fixture,
    model: &Base,
    case: &str,
    neighbours: &[&str],
    steps: usize,
) -> (Vec<f64>, Vec<f64>, Adapters) {
    let golden = fixture.golden();
    let optimizers: Vec<OptimizerSettings> = [case]
        .iter()
        .chain(neighbours)
        .map(|name| golden.cases[*name].hyper.settings())
        .collect();
    let start = adapters(fixture.adapter("adapter_init"), model, optimizers.len());
    let mut session = Session::with_adapters(model, fixture.settings(optimizers), start);
    let (mut losses, mut norms) = (Vec::new(), Vec::new());
    for batch in &golden.batches[..steps] {
        let report = session.step(model, &batch.batch()).await.unwrap();
        losses.push(report.runs[0].loss.unwrap());
        norms.push(report.runs[0].grad_norm.unwrap());
    }
    let last = golden.batches.last().unwrap().batch();
    let after = session.evaluate(model, &last).await.unwrap();
    losses.push(after.sums[0] / after.count as f64);
    (losses, norms, session.adapters().run(0))
}

/// Norm of the difference over norm of the whole update.
async fn relative_error(found: &Adapters, expected: &Adapters, start: &Adapters) -> f64 {
    let (mut error, mut update) = (Vec::new(), Vec::new());
    for ((found, expected), start) in found.banks().zip(expected.banks()).zip(start.banks()) {
        for (found, expected, start) in [
            (&found.a, &expected.a, &start.a),
            (&found.b, &expected.b, &start.b),
        ] {
            let found = values(found.clone()).await;
            let expected = values(expected.clone()).await;
            let start = values(start.clone()).await;
            for ((f, e), s) in found.into_iter().zip(expected).zip(start) {
                error.push(f64::from(f) - f64::from(e));
                update.push(f64::from(e) - f64::from(s));
            }
        }
    }
    norm(error) / norm(update)
}

async fn check_case(fixture: Fixture, case: &str) {
    let (golden, model) = (fixture.golden(), fixture.model().await);
    let expected = &golden.cases[case];
    let (losses, norms, found) = train(fixture, &model, case, &[], 10).await;
    assert_eq!(losses.len(), expected.losses.len());
    for (step, (loss, expected)) in losses.iter().zip(&expected.losses).enumerate() {
        assert!(
            (loss - expected).abs() < 1e-4,
            "{case}, step {step}: loss {loss}, torch {expected}"
        );
    }
    for (step, (norm, expected)) in norms.iter().zip(&expected.grad_norms).enumerate() {
        let error = (norm - expected).abs() / expected;
        assert!(
            error < 1e-3,
            "{case}, step {step}: norm {norm}, torch {expected}"
        );
    }
    let read = |files: (&[u8], &[u8])| {
        peft::read(files.0, files.1, &model.config, &model.device)
            .unwrap()
            .adapters
    };
    let after = read(fixture.adapter(&format!("after_{case}")));
    let start = read(fixture.adapter("adapter_init"));
    let error = relative_error(&found, &after, &start).await;
    assert!(error < 1e-3, "{case}: {error} of the update");
}

macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        $(async fn $case(fixture: Fixture) {
            check_case(fixture, stringify!($case)).await;
        })*
        for_both!($($case),*);
    };
}
cases!(
    sgd,
    scaled_gd,
    adamw,
    adamw_clip_sched,
    scaled_adamw,
    scaled_adamw_paper,
    scaled_adamw_clip_sched,
    scaled_adamw_sequential,
    lora_plus,
);
