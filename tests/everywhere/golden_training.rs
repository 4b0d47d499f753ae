//! Training against torch and PEFT: gradients, and ten steps of every optimizer.

use riemann_lora::{
    model::{Adapters, Llama, Target},
    optim::OptimizerSettings,
    peft,
    train::{Session, gradients::Pass},
};

use crate::support::{adapter, adapters, golden, model, norm, settings, values};

/// The key of a factor in golden.json.
fn key(layer: usize, target: Target) -> String {
    let module = target.module();
    format!("base_model.model.model.layers.{layer}.{module}.lora_A.default.weight")
}

everywhere! {
    async fn gradients_are_those_of_torch() {
        let (golden, model) = (golden(), model().await);
        let adapters = adapters(adapter!("adapter_random"), &model, 1);
        let batch = golden.batches[0].batch();
        let pass = Pass::forward(&model, &adapters, None, &batch).unwrap();
        let losses = values(pass.losses.clone()).await;
        let loss = losses.iter().map(|&v| f64::from(v)).sum::<f64>() / losses.len() as f64;
        let found = pass.backward();
        assert!((loss - golden.adapter_random.loss).abs() < 1e-4, "{loss}");

        let mut compared = 0;
        for layer in 0..model.config.num_hidden_layers {
            for (index, target) in Target::ALL.into_iter().enumerate() {
                let expected = &golden.adapter_random.grads[&key(layer, target)];
                let bank = &found[layer * Target::ALL.len() + index];
                for (tensor, size, first) in [
                    (bank.a.clone(), expected.a_norm, &expected.a),
                    (bank.b.clone(), expected.b_norm, &expected.b),
                ] {
                    let values: Vec<f64> = values(tensor).await.into_iter().map(f64::from).collect();
                    let found = norm(values.iter().copied());
                    assert!((found - size).abs() < 1e-3 * size, "{layer} {target:?}: {found} {size}");
                    let error = norm(values.iter().zip(first).map(|(x, y)| x - y));
                    let bound = 1e-3 * norm(first.iter().copied());
                    assert!(error < bound, "{layer} {target:?}: {error} above {bound}");
                    compared += 1;
                }
            }
        }
        assert_eq!(compared, 28);
    }
}

/// Trains one golden case beside `neighbours`, and returns its losses and adapters.
async fn train(
    model: &Llama,
    case: &str,
    neighbours: &[&str],
    steps: usize,
) -> (Vec<f64>, Vec<f64>, Adapters) {
    let golden = golden();
    let optimizers: Vec<OptimizerSettings> = [case]
        .iter()
        .chain(neighbours)
        .map(|name| golden.cases[*name].hyper.settings())
        .collect();
    let start = adapters(adapter!("adapter_init"), model, optimizers.len());
    let mut session = Session::with_adapters(settings(optimizers), start);
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

async fn check_case(case: &str, after: (&[u8], &[u8])) {
    let (golden, model) = (golden(), model().await);
    let expected = &golden.cases[case];
    let (losses, norms, found) = train(&model, case, &[], 10).await;
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
    let read =
        |files: (&[u8], &[u8])| peft::read(files.0, files.1, &model.config, &model.device).unwrap();
    let error = relative_error(&found, &read(after), &read(adapter!("adapter_init"))).await;
    assert!(error < 1e-3, "{case}: {error} of the update");
}

// Ten steps of every case take minutes on a software adapter; there three steps of one bank with
// all cases side by side stand for them.
#[cfg(not(feature = "webgpu"))]
mod ten_steps {
    use super::*;

    macro_rules! cases {
        ($($case:ident),*) => {$(
            everywhere! {
                async fn $case() {
                    check_case(stringify!($case), case_files!($case)).await;
                }
            }
        )*};
    }
    macro_rules! case_files {
        (sgd) => {
            adapter!("after_sgd")
        };
        (scaled_gd) => {
            adapter!("after_scaled_gd")
        };
        (adamw) => {
            adapter!("after_adamw")
        };
        (adamw_clip_sched) => {
            adapter!("after_adamw_clip_sched")
        };
        (scaled_adamw) => {
            adapter!("after_scaled_adamw")
        };
        (scaled_adamw_paper) => {
            adapter!("after_scaled_adamw_paper")
        };
        (scaled_adamw_clip_sched) => {
            adapter!("after_scaled_adamw_clip_sched")
        };
        (scaled_adamw_sequential) => {
            adapter!("after_scaled_adamw_sequential")
        };
        (lora_plus) => {
            adapter!("after_lora_plus")
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
        lora_plus
    );
}

everywhere! {
    /// Every case at once, for three steps: what WebGPU has time for on a software adapter.
    async fn three_steps_of_all_cases_in_one_bank() {
        let (golden, model) = (golden(), model().await);
        let names: Vec<&String> = golden.cases.keys().collect();
        let optimizers = names.iter().map(|name| golden.cases[*name].hyper.settings()).collect();
        let start = adapters(adapter!("adapter_init"), &model, names.len());
        let mut session = Session::with_adapters(settings(optimizers), start);
        for (step, batch) in golden.batches[..3].iter().enumerate() {
            let report = session.step(&model, &batch.batch()).await.unwrap();
            for (name, run) in names.iter().zip(&report.runs) {
                let (found, expected) = (run.loss.unwrap(), golden.cases[*name].losses[step]);
                assert!((found - expected).abs() < 1e-3, "{name}, step {step}: {found} {expected}");
            }
        }
    }
}
