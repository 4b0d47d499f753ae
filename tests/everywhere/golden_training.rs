//! Training against torch and PEFT: gradients, and ten steps of every optimizer.

use riemann_lora::{
    kernel::ProductPrecision,
    model::{Architecture, Target},
    train::{
        Session,
        gradients::{Pass, PassSettings},
    },
};

use crate::support::{Fixture, adapters, for_both, norm, values};

/// The key of a factor in golden.json.
fn key(architecture: &Architecture, layer: usize, target: Target) -> String {
    let (block, module) = (
        architecture.block_name(layer),
        target.module(architecture).unwrap(),
    );
    format!("base_model.model.{block}.{module}.lora_A.default.weight")
}

async fn gradients_are_those_of_torch(fixture: Fixture) {
    let (golden, model) = (fixture.golden(), fixture.model().await);
    let adapters = adapters(fixture.adapter("adapter_random"), &model, 1);
    let batch = golden.batches[0].batch();
    let settings = |gradient_checkpointing| PassSettings {
        dropout: None,
        whole: riemann_lora::train::labels::count(&batch),
        precision: ProductPrecision::Single,
        gradient_checkpointing,
    };
    let mut compared = 0;
    for gradient_checkpointing in [false, true] {
        let pass =
            Pass::forward(&model, &adapters, &batch, settings(gradient_checkpointing)).unwrap();
        let losses = values(pass.losses.clone()).await;
        let loss = losses.iter().map(|&v| f64::from(v)).sum::<f64>() / losses.len() as f64;
        let found = pass.backward().banks;
        assert!((loss - golden.adapter_random.loss).abs() < 1e-4, "{loss}");

        for layer in 0..model.config.num_hidden_layers {
            for (index, target) in fixture.targets.iter().copied().enumerate() {
                let expected =
                    &golden.adapter_random.grads[&key(model.config.architecture, layer, target)];
                let bank = &found[layer * fixture.targets.len() + index];
                for (tensor, size, first) in [
                    (bank.a.clone(), expected.a_norm, &expected.a),
                    (bank.b.clone(), expected.b_norm, &expected.b),
                ] {
                    let values: Vec<f64> =
                        values(tensor).await.into_iter().map(f64::from).collect();
                    let found = norm(values.iter().copied());
                    assert!(
                        (found - size).abs() < 1e-3 * size,
                        "{layer} {target:?}: {found} {size}"
                    );
                    let error = norm(values.iter().zip(first).map(|(x, y)| x - y));
                    let bound = 1e-3 * norm(first.iter().copied());
                    assert!(error < bound, "{layer} {target:?}: {error} above {bound}");
                    compared += 1;
                }
            }
        }
    }
    assert_eq!(compared, 4 * golden.adapter_random.grads.len());
    assert_eq!(compared, 8 * fixture.targets.len());
}

/// Every case at once, for three steps: what WebGPU has time for on a software adapter.
async fn three_steps_of_all_cases_in_one_bank(fixture: Fixture) {
    let (golden, model) = (fixture.golden(), fixture.model().await);
    let names: Vec<&String> = golden.cases.keys().collect();
    let optimizers = names
        .iter()
        .map(|name| golden.cases[*name].hyper.settings())
        .collect();
    let start = adapters(fixture.adapter("adapter_init"), &model, names.len());
    let mut session = Session::with_adapters(&model, fixture.settings(optimizers), start);
    for (step, batch) in golden.batches[..3].iter().enumerate() {
        let report = session.step(&model, &batch.batch()).await.unwrap();
        for (name, run) in names.iter().zip(&report.runs) {
            let (found, expected) = (run.loss.unwrap(), golden.cases[*name].losses[step]);
            assert!(
                (found - expected).abs() < 1e-3,
                "{name}, step {step}: {found} {expected}"
            );
        }
    }
}

for_both!(
    gradients_are_those_of_torch,
    three_steps_of_all_cases_in_one_bank,
);
