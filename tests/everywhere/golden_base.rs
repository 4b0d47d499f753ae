//! The base against transformers: logits, loss, greedy continuation, tokenizer.

use burn::tensor::{Int, Tensor, TensorData};
use riemann_lora::{
    data::Batch,
    generate::{Generator, SampleSettings},
    model::{Adapters, Base, Context},
    optim::OptimizerSettings,
    train::Session,
};

use crate::support::{Fixture, adapters, for_both, values};

fn ids(batch: &Batch, model: &Base) -> Tensor<2, Int> {
    let data = TensorData::new(batch.ids.clone(), [batch.rows, batch.tokens]);
    Tensor::from_data(data, &model.device)
}

async fn logits_are_those_of_transformers(fixture: Fixture) {
    let (golden, model) = (fixture.golden(), fixture.model().await);
    let batch = golden.batches[0].batch();
    let hidden = model.forward(ids(&batch, &model), Context::default());
    let logits = values(model.logits(model.normalise(hidden))).await;
    let vocab = model.config.vocab_size;
    let mut largest = 0.0_f64;
    let mut error = 0.0_f64;
    for (row, rows) in golden.base.logits.iter().enumerate() {
        for (expected, position) in rows.iter().zip(&golden.base.logits_positions) {
            let start = (row * batch.tokens + position) * vocab;
            for (expected, found) in expected.iter().zip(&logits[start..start + vocab]) {
                largest = largest.max(expected.abs());
                error = error.max((expected - f64::from(*found)).abs());
            }
        }
    }
    assert!(largest > 1.0, "{largest}");
    assert!(error / largest < 1e-4, "{error} of {largest}");
}

async fn loss_of_the_base_is_that_of_transformers(fixture: Fixture) {
    let (golden, model) = (fixture.golden(), fixture.model().await);
    let session = Session::new(
        &model,
        fixture.settings(vec![OptimizerSettings::adamw(1e-3)]),
    )
    .unwrap();
    let batch = golden.batches[0].batch();
    let losses = session.evaluate(&model, &batch).await.unwrap();
    let loss = losses.sums[0] / losses.count as f64;
    assert!(
        (loss - golden.base.loss).abs() < 1e-4,
        "{loss} {}",
        golden.base.loss
    );
}

fn greedy(max_tokens: u32, include_base: bool) -> SampleSettings {
    SampleSettings {
        prompt: String::new(),
        chat: false,
        max_tokens,
        temperature: 0.0,
        top_k: 0,
        top_p: 1.0,
        seed: 0,
        stop: Vec::new(),
        include_base,
    }
}

async fn continuations(
    fixture: Fixture,
    adapters: Option<&Adapters>,
    include_base: bool,
) -> Vec<Vec<u32>> {
    let (golden, model) = (fixture.golden(), fixture.model().await);
    let prompt = &golden.base.greedy.prompt;
    let settings = greedy(16, include_base);
    let mut generator = Generator::new(&model, adapters, prompt, &[], settings).unwrap();
    let mut written = vec![Vec::new(); generator.lanes()];
    while let Some(tokens) = generator.next(&model).await.unwrap() {
        for (lane, token) in written.iter_mut().zip(tokens) {
            lane.extend(token);
        }
    }
    written
}

async fn greedy_continuation_is_that_of_transformers(fixture: Fixture) {
    let expected = fixture.golden().base.greedy.continuation;
    assert_eq!(continuations(fixture, None, false).await, [expected]);
}

/// A lane without an adapter beside two with one: the base's answer does not change by its
/// neighbours, and theirs differ from it.
async fn the_base_answers_beside_runs(fixture: Fixture) {
    let model = fixture.model().await;
    let two = adapters(fixture.adapter("adapter_random"), &model, 2);
    let written = continuations(fixture, Some(&two), true).await;
    assert_eq!(written.len(), 3);
    assert_eq!(written[2], fixture.golden().base.greedy.continuation);
    assert_eq!(written[0], written[1]);
    assert_ne!(written[0], written[2]);
}

/// The cache changes no number that matters: each cached token is the argmax of a forward pass
/// over everything before it.
async fn cached_tokens_are_those_of_a_whole_pass(fixture: Fixture) {
    let (golden, model) = (fixture.golden(), fixture.model().await);
    let mut tokens = golden.base.greedy.prompt.clone();
    for expected in &golden.base.greedy.continuation[..3] {
        let row: Vec<i32> = tokens.iter().map(|&id| id as i32).collect();
        let length = row.len();
        let ids = Tensor::<2, Int>::from_data(TensorData::new(row, [1, length]), &model.device);
        let hidden = model
            .forward(ids, Context::default())
            .narrow(0, length - 1, 1);
        let logits = values(model.logits(model.normalise(hidden))).await;
        let best = (0..logits.len())
            .max_by(|&i, &j| logits[i].total_cmp(&logits[j]))
            .unwrap();
        assert_eq!(best as u32, *expected);
        tokens.push(*expected);
    }
}

async fn the_checkpoint_carries_its_tokenizer(fixture: Fixture) {
    let checkpoint = fixture.checkpoint().await;
    let ids = checkpoint
        .tokenizer()
        .encode("The restaurant is near the river.")
        .unwrap();
    assert_eq!(
        ids,
        [267, 319, 306, 279, 84, 311, 316, 82, 261, 259, 281, 14]
    );
}

for_both!(
    logits_are_those_of_transformers,
    loss_of_the_base_is_that_of_transformers,
    greedy_continuation_is_that_of_transformers,
    the_base_answers_beside_runs,
    cached_tokens_are_those_of_a_whole_pass,
    the_checkpoint_carries_its_tokenizer,
);

/// The one test of GPT-2 for which a software WebGPU adapter has time.
#[cfg(feature = "webgpu")]
mod gpt2 {
    everywhere! {
        async fn logits_are_those_of_transformers() {
            super::logits_are_those_of_transformers(crate::support::GPT2).await;
        }
    }
}
