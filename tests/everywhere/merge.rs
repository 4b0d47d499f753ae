//! An adapter is a change of weights.

use burn::tensor::{Int, Tensor, TensorData};
use riemann_lora::model::{Context, Target};

use crate::support::{adapter, adapters, difference, golden, model, values};

everywhere! {
    async fn the_merged_weight_gives_the_same_logits() {
        let (golden, mut model) = (golden(), model().await);
        let adapters = adapters(adapter!("adapter_random"), &model, 1);
        let batch = golden.batches[0].batch();
        let ids = || {
            let data = TensorData::new(batch.ids.clone(), [batch.rows, batch.tokens]);
            Tensor::<2, Int>::from_data(data, &model.device)
        };
        let context = || Context { adapters: Some(&adapters), ..Context::default() };
        let apart = values(model.logits(model.normalise(model.forward(ids(), context())))).await;
        let base = values(model.logits(model.normalise(model.forward(ids(), Context::default())))).await;

        let ids = ids();
        for (layer, block) in model.blocks.iter_mut().enumerate() {
            for target in Target::ALL {
                let bank = adapters.bank(layer, target).unwrap();
                let change = bank.b.clone().matmul(bank.a.clone()).squeeze_dim::<2>(0);
                let weight = &mut block.linears[target as usize];
                *weight = weight.clone() + change.mul_scalar(adapters.shape.scale());
            }
        }
        let merged = values(model.logits(model.normalise(model.forward(ids, Context::default())))).await;
        let largest = merged.iter().fold(0.0_f32, |largest, v| largest.max(v.abs()));
        assert!(difference(&apart, &merged) < 1e-4 * largest);
        assert!(difference(&apart, &base) > 0.1 * largest);
    }
}
