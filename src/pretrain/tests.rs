//! Gradients against finite differences, and what a resumed or written model must keep.

use burn::tensor::{Device, Tensor, TensorData};

use super::{PretrainSettings, Pretraining};
use crate::data::Batch;
use crate::load::MemorySource;
use crate::model::{Base, Checkpoint, Context, ModelConfig};
use crate::optim::OptimizerSettings;
use crate::train::SessionError;

fn model() -> ModelConfig {
    serde_json::from_value(serde_json::json!({
        "model_type": "llama",
        "vocab_size": 24,
        "hidden_size": 16,
        "intermediate_size": 20,
        "num_hidden_layers": 2,
        "max_position_embeddings": 32,
        "tie_word_embeddings": true,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-5,
    }))
    .expect("a sound config")
}

fn settings() -> PretrainSettings {
    PretrainSettings {
        model: model(),
        optimizer: OptimizerSettings {
            max_grad_norm: Some(1.0),
            ..OptimizerSettings::adamw(1e-2)
        },
        batch_size: 2,
        steps: 40,
        seed: 3,
    }
}

/// Two sequences in which each token follows from the one before.
fn batch() -> Batch {
    let row = |start: i32, stride: i32| (0..12).map(move |t| (start + t * stride) % 24);
    let ids: Vec<i32> = row(1, 5).chain(row(2, 7)).collect();
    Batch {
        rows: 2,
        tokens: 12,
        labels: ids.clone(),
        ids,
    }
}

fn fresh() -> Pretraining {
    Pretraining::new(settings(), &Device::flex()).unwrap()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[pollster::test]
async fn gradients_of_all_weights_are_the_finite_differences() {
    let mut training = fresh();
    // Fresh weights are so small that the loss hardly depends on attention: larger ones test it.
    for weight in &mut training.weights.weights {
        if weight.is_matrix() {
            weight.value = weight.value.clone().mul_scalar(12.0);
        }
    }
    let batch = batch();
    let (_, gradients) = training.gradients(&batch).unwrap();
    const H: f32 = 4e-3;
    for (index, gradient) in gradients.into_iter().enumerate() {
        let gradient = values(gradient);
        let largest = gradient.iter().fold(0.0_f32, |most, g| most.max(g.abs()));
        assert!(largest > 0.0, "weight {index} has no gradient");
        let place = gradient.iter().position(|g| g.abs() == largest).unwrap();
        let original = training.weights.weights[index].value.clone();
        let mut losses = [0.0; 2];
        for (loss, sign) in losses.iter_mut().zip([1.0, -1.0]) {
            let mut moved = values(original.clone());
            moved[place] += sign * H;
            let data = TensorData::new(moved, original.dims());
            training.weights.weights[index].value = Tensor::from_data(data, &Device::flex());
            let found = training.evaluate(&batch).await.unwrap();
            *loss = found.sums[0] / found.count as f64;
        }
        training.weights.weights[index].value = original;
        let difference = (losses[0] - losses[1]) / (2.0 * f64::from(H));
        let gradient = f64::from(gradient[place]);
        let name = &training.weights.weights[index].name;
        assert!(
            (difference - gradient).abs() < 1e-2 * gradient.abs() + 3e-4,
            "{name}: {gradient} by autodiff, {difference} by differences"
        );
    }
}

#[pollster::test]
async fn the_loss_falls_from_that_of_guessing() {
    let mut training = fresh();
    let batch = batch();
    let mut losses = Vec::new();
    while !training.is_finished() {
        losses.push(training.step(&batch).await.unwrap().loss);
    }
    let guessing = 24.0_f32.ln();
    assert!((losses[0] - guessing).abs() < 0.1, "{}", losses[0]);
    assert!(losses[39] < 0.5 * guessing, "{}", losses[39]);
}

#[pollster::test]
async fn a_resumed_pretraining_is_the_uninterrupted_one() {
    let batch = batch();
    let mut whole = fresh();
    let mut first = fresh();
    for _ in 0..3 {
        whole.step(&batch).await.unwrap();
        first.step(&batch).await.unwrap();
    }
    let kept = first.checkpoint().await.unwrap();
    let mut second = Pretraining::resume(&kept, &Device::flex()).unwrap();
    assert_eq!(second.steps_done(), 3);
    for _ in 0..3 {
        let expected = whole.step(&batch).await.unwrap();
        assert_eq!(second.step(&batch).await.unwrap(), expected);
    }
    let damaged = &kept[..kept.len() / 2];
    assert!(matches!(
        Pretraining::resume(damaged, &Device::flex()),
        Err(SessionError::Checkpoint(_))
    ));
}

#[pollster::test]
async fn the_written_model_is_the_trained_one_to_f16() {
    let mut training = fresh();
    for _ in 0..5 {
        training.step(&batch()).await.unwrap();
    }
    let files = [
        (
            "config.json",
            serde_json::to_vec(&training.settings().model).unwrap(),
        ),
        (
            "model.safetensors",
            training.weights().to_safetensors().await.unwrap(),
        ),
        (
            "tokenizer.json",
            include_bytes!("../../tests/fixtures/golden/tokenizer.json").to_vec(),
        ),
    ]
    .map(|(name, bytes)| MemorySource::new(name, bytes));
    let checkpoint = Checkpoint::open(files.into()).await.unwrap();
    let device = Device::flex();
    let read = Base::load(&checkpoint, &device, |_, _| true).await.unwrap();
    let logits = |base: &Base| {
        let ids = Tensor::from_data(TensorData::new(batch().ids, [2, 12]), &device);
        let hidden = base.forward(ids, Context::default());
        values(base.logits(base.normalise(hidden)))
    };
    let (written, trained) = (logits(&read), logits(&training.weights().base()));
    for (written, trained) in written.into_iter().zip(trained) {
        assert!((written - trained).abs() < 2e-3, "{written} {trained}");
    }
}

#[pollster::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let refused = |change: fn(&mut PretrainSettings)| {
        let mut settings = settings();
        change(&mut settings);
        Pretraining::new(settings, &Device::flex())
            .unwrap_err()
            .to_string()
    };
    assert!(refused(|s| s.batch_size = 0).starts_with("batch_size is 0"));
    assert!(refused(|s| s.model.hidden_size = 0).starts_with("hidden_size is 0"));
    assert!(refused(|s| s.optimizer.lr = f64::NAN).contains("lr is NaN"));
    assert!(
        refused(|s| s.optimizer = OptimizerSettings::scaled_adamw(1e-3)).contains("preconditioner")
    );
}
