//! Documents side by side, and which tokens of a batch weigh what.

use riemann_lora::{
    data::{Batch, IGNORED_LABEL},
    model::Base,
    train::token_losses::token_losses,
};

use super::{build, case, checkpoint, expected, numbers};
use crate::support::device;

everywhere! {
    async fn class_28_documents_do_not_see_each_other() {
        let opened = checkpoint(&[]).await.unwrap();
        let tokenizer = opened.tokenizer();
        let expected = expected(case!("28-packing/expected.json"));
        let dataset = build("two.jsonl", case!("28-packing/two.jsonl"), tokenizer).unwrap();
        let rows = dataset.train().iter();
        let rows: Vec<Vec<i64>> = rows
            .map(|example| example.ids.iter().map(|id| i64::from(*id)).collect())
            .collect();
        assert_eq!(rows, [numbers(&expected["row 1"]), numbers(&expected["row 2"])]);

        let model = Base::load(&opened, &device().await, |_, _| true).await.unwrap();
        let alone = token_losses(&model, None, &dataset.train()[1].ids).await.unwrap();
        let right = expected["losses of row 2 when it is alone"].as_array().unwrap();
        assert_eq!(alone[0].len(), right.len());
        for (found, right) in alone[0].iter().zip(right) {
            let error = (f64::from(*found) - right.as_f64().unwrap()).abs();
            assert!(error < 1e-4, "{found} {right}");
        }

        // In one batch, where the shorter one is filled up.
        let Batch { labels, .. } = dataset.train_batches(2).unwrap().batch(0);
        let counted = labels.iter().filter(|label| **label != IGNORED_LABEL).count();
        assert_eq!(counted, rows[0].len() + rows[1].len() - 2);
        let mut sum = 0.0;
        for example in dataset.train() {
            let losses = token_losses(&model, None, &example.ids).await.unwrap();
            sum += losses[0].iter().map(|loss| f64::from(*loss)).sum::<f64>();
        }
        let mean = expected["mean over both rows"].as_f64().unwrap();
        assert!((sum / counted as f64 - mean).abs() < 1e-4, "{sum} {counted} {mean}");
    }
}
