//! An adapter is a change of weights.

use burn::tensor::{Int, Tensor, TensorData};
use riemann_lora::model::{Adapters, Base, Context, FrozenWeight, Target, architecture::Place};

use crate::support::{Fixture, adapters, difference, for_both, values};

/// The weight that `target` is, or is rows of, and its first row there.
fn weight(model: &mut Base, layer: usize, target: Target) -> (&mut FrozenWeight, usize) {
    let architecture = model.config.architecture;
    let first = target.part(architecture).unwrap_or(0) * model.config.hidden_size;
    let module = architecture.module_named(target.module(architecture).unwrap());
    let Place::Linear(projection) = module.unwrap().place else {
        panic!("{target:?} is a norm");
    };
    let layer = model.blocks[layer].linear_mut(projection).unwrap();
    (&mut layer.weight, first)
}

/// Adds each adapter's ΔW to the base.
fn merged(mut model: Base, adapters: &Adapters) -> Base {
    for layer in 0..model.config.num_hidden_layers {
        for &target in &adapters.shape.targets {
            let bank = adapters.bank(layer, target).unwrap();
            let change = bank.b.clone().matmul(bank.a.clone()).squeeze_dim::<2>(0);
            let change = change.mul_scalar(adapters.shape.scale());
            let (weight, first) = weight(&mut model, layer, target);
            let [rows, columns] = change.dims();
            let range = [first..first + rows, 0..columns];
            let [outputs, _] = weight.dims();
            let before = weight.rows(0, outputs);
            let new = before.clone().slice(range.clone()) + change;
            *weight = before.slice_assign(range, new).into();
        }
    }
    model
}

pub async fn logits(fixture: Fixture, model: &Base, adapters: Option<&Adapters>) -> Vec<f32> {
    let batch = fixture.golden().batches[0].batch();
    let data = TensorData::new(batch.ids, [batch.rows, batch.tokens]);
    let ids = Tensor::<2, Int>::from_data(data, &model.device);
    let context = Context {
        adapters,
        ..Context::default()
    };
    values(model.logits(model.normalise(model.forward(ids, context)))).await
}

async fn check(fixture: Fixture, model: Base, adapters: &Adapters) {
    let apart = logits(fixture, &model, Some(adapters)).await;
    let base = logits(fixture, &model, None).await;
    let merged = logits(fixture, &merged(model, adapters), None).await;
    let largest = merged
        .iter()
        .fold(0.0_f32, |largest, v| largest.max(v.abs()));
    assert!(difference(&apart, &merged) < 1e-4 * largest);
    assert!(difference(&apart, &base) > 0.1 * largest);
}

async fn the_merged_weight_gives_the_same_logits(fixture: Fixture) {
    let model = fixture.model().await;
    let adapters = adapters(fixture.adapter("adapter_random"), &model, 1);
    check(fixture, model, &adapters).await;
}

for_both!(the_merged_weight_gives_the_same_logits);

#[cfg(not(feature = "webgpu"))]
mod parts {
    use super::{Target, check};
    use crate::support::{GPT2, random_adapters};

    everywhere! {
        async fn parts_of_the_fused_layer_merge_into_their_rows() {
            for targets in [
                &[Target::QProj][..],
                &[Target::KProj, Target::VProj],
                &[Target::QProj, Target::VProj, Target::OProj],
            ] {
                let model = GPT2.model().await;
                let adapters = random_adapters(&model, targets, 1);
                check(GPT2, model, &adapters).await;
            }
        }
    }
}
