//! Documents side by side, and which tokens of a batch weigh what.

use riemann_lora::{
    data::{Batch, IGNORED_LABEL},
    model::Base,
    optim::{OptimizerSettings, UpdateRule},
    train::{Session, SessionSettings, evaluate, token_losses::token_losses},
};

use super::{build, case, checkpoint, expected, numbers};
use crate::support::{device, settings as session_settings};

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

everywhere! {
    async fn class_28_rows_weigh_by_their_tokens_in_a_step_in_its_parts_and_in_the_validation_loss() {
        let opened = checkpoint(&[]).await.unwrap();
        let long = "the cat sat ".repeat(12);
        let rows = format!("{{\"prompt\": \"a\", \"completion\": \"cat\"}}\n{{\"prompt\": \"b\", \"completion\": \"{long}\"}}\n");
        let dataset = build("two.jsonl", rows.as_bytes(), opened.tokenizer()).unwrap();
        let model = Base::load(&opened, &device().await, |_, _| true).await.unwrap();
        let (mut sums, mut counts) = (Vec::new(), Vec::new());
        for example in dataset.train() {
            let losses = token_losses(&model, None, &example.ids).await.unwrap();
            // The first token has no loss.
            let counted = losses[0].iter().zip(&example.counts[1..]).filter(|(_, counts)| **counts);
            sums.push(counted.clone().map(|(loss, _)| f64::from(*loss)).sum::<f64>());
            counts.push(counted.count());
        }
        assert!(counts[1] > 8 * counts[0], "{counts:?}");
        let token_mean = (sums[0] + sums[1]) / (counts[0] + counts[1]) as f64;
        let row_mean = (sums[0] / counts[0] as f64 + sums[1] / counts[1] as f64) / 2.0;
        assert!((token_mean - row_mean).abs() > 1e-2, "rows do not differ enough to tell");

        let plain = OptimizerSettings {
            rule: UpdateRule::Sgd,
            weight_decay: 0.0,
            ..OptimizerSettings::adamw(0.1)
        };
        let batch = dataset.train_batches(2).unwrap().batch(0);
        let mut seconds = Vec::new();
        for micro_batch_size in [0, 1] {
            let settings = SessionSettings {
                micro_batch_size,
                ..session_settings(vec![plain])
            };
            let mut session = Session::new(&model, settings).unwrap();
            // A batch a row, as a validation set has several.
            let mut alone = dataset.train_batches(1).unwrap();
            let held_out = [alone.batch(0), alone.batch(1)];
            let report = evaluate(&session, &model, held_out.into_iter(), async |_| true).await.unwrap();
            let validation = report.unwrap().losses[0].unwrap();
            let first = session.step(&model, &batch).await.unwrap().runs[0].loss.unwrap();
            for found in [validation, first] {
                assert!((found - token_mean).abs() < 1e-4, "{found} {token_mean}");
            }
            seconds.push(session.step(&model, &batch).await.unwrap().runs[0].loss.unwrap());
        }
        assert!((seconds[0] - seconds[1]).abs() < 1e-5, "{seconds:?}");
        assert!((seconds[0] - token_mean).abs() > 1e-4, "nothing was learned: {seconds:?}");
    }
}
