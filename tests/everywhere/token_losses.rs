//! Losses token by token against those of transformers.

use riemann_lora::{
    data::IGNORED_LABEL,
    model::{Adapters, Base},
    train::token_losses::token_losses,
};

use crate::support::{Fixture, adapters, for_both};

/// Mean of each lane over the tokens of the first golden batch that count there.
async fn means(fixture: Fixture, model: &Base, adapters: Option<&Adapters>) -> Vec<f64> {
    let batch = &fixture.golden().batches[0];
    let lanes = adapters.map_or(1, |adapters| adapters.runs);
    let mut sums = vec![0.0; lanes];
    let mut count = 0.0;
    for (ids, labels) in batch.ids.iter().zip(&batch.labels) {
        let ids: Vec<u32> = ids.iter().map(|&id| id as u32).collect();
        let losses = token_losses(model, adapters, &ids).await.unwrap();
        assert_eq!(losses.len(), lanes);
        for (sum, losses) in sums.iter_mut().zip(&losses) {
            assert_eq!(losses.len(), ids.len() - 1);
            for (loss, label) in losses.iter().zip(&labels[1..]) {
                if *label != IGNORED_LABEL {
                    *sum += f64::from(*loss);
                }
            }
        }
        count += labels[1..]
            .iter()
            .filter(|label| **label != IGNORED_LABEL)
            .count() as f64;
    }
    sums.iter().map(|sum| sum / count).collect()
}

async fn their_mean_is_the_loss_of_the_base(fixture: Fixture) {
    let model = fixture.model().await;
    let expected = fixture.golden().base.loss;
    let found = means(fixture, &model, None).await;
    assert!((found[0] - expected).abs() < 1e-4, "{found:?} {expected}");
}

async fn runs_and_the_base_side_by_side(fixture: Fixture) {
    let (golden, model) = (fixture.golden(), fixture.model().await);
    let two = adapters(fixture.adapter("adapter_random"), &model, 2);
    let found = means(fixture, &model, Some(&two.with_base())).await;
    let expected = [
        golden.adapter_random.loss,
        golden.adapter_random.loss,
        golden.base.loss,
    ];
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-4, "{found} {expected}");
    }
}

async fn texts_of_no_use_are_refused(fixture: Fixture) {
    let model = fixture.model().await;
    for tokens in [0, 1, model.config.max_position_embeddings + 1] {
        assert!(token_losses(&model, None, &vec![1; tokens]).await.is_err());
    }
}

for_both!(
    their_mean_is_the_loss_of_the_base,
    runs_and_the_base_side_by_side,
    texts_of_no_use_are_refused,
);
