//! Layers against a second implementation in float64, gradients against finite differences, and what a resumed or written
//! model must keep.

use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;

use super::{
    DiffusionConfig, DiffusionPretraining, DiffusionSettings, DiffusionWeights, FlowBatch,
    Pictures, Words,
    denoiser::modulated,
    noise::Noise,
    pictures::{from_patches, to_patches},
    time::waves,
};
use crate::kernel::Documents;
use crate::model::Context;
use crate::optim::OptimizerSettings;
use crate::train::SessionError;

#[derive(Deserialize)]
struct Golden {
    config: DiffusionConfig,
    x: Vec<f32>,
    shift: Vec<f32>,
    scale: Vec<f32>,
    attention: Vec<f32>,
    feed_forward: Vec<f32>,
    modulated: Vec<f32>,
    times: Vec<f64>,
    waves: Vec<f32>,
    time_embedding: Vec<f32>,
    noise: Vec<f32>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../tests/fixtures/diffusion/golden.json")).unwrap()
}

fn golden_weights() -> DiffusionWeights {
    let bytes = include_bytes!("../../tests/fixtures/diffusion/weights.safetensors");
    DiffusionWeights::read(&golden().config, bytes, &Device::flex()).unwrap()
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn assert_close<const D: usize>(found: Tensor<D>, wanted: &[f32]) {
    let found = values(found);
    assert_eq!(found.len(), wanted.len());
    for (index, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let allowed = 2e-5 * (1.0 + wanted.abs());
        assert!(
            (found - wanted).abs() < allowed,
            "value {index} is {found} and not {wanted}"
        );
    }
}

fn one(tokens: usize) -> Documents {
    Documents::one(tokens, tokens, &Device::flex())
}

#[test]
fn layers_are_those_of_the_second_implementation() {
    let golden = golden();
    let model = golden_weights().model();
    let context = Context::default();
    let block = &model.denoiser.blocks[0].block;
    let x = || tensor(&golden.x, [5, 16]);
    let heads = golden.config.num_attention_heads;
    let attended = block.attention(x(), 1, heads, &one(5), context.block(0));
    assert_close(attended, &golden.attention);
    assert_close(
        block.feed_forward(x(), context.block(0)),
        &golden.feed_forward,
    );
    let row = |values: &[f32]| tensor(values, [1, 1, 16]);
    let x = x().reshape([1, 5, 16]);
    let found = modulated(x, row(&golden.shift), row(&golden.scale));
    assert_close(found, &golden.modulated);
}

#[test]
fn times_are_those_of_the_second_implementation() {
    let golden = golden();
    let found = waves(&golden.times, 16, &Device::flex());
    assert_close(found.clone(), &golden.waves);
    let time = golden_weights().model().denoiser.time;
    assert_close(time.forward(found), &golden.time_embedding);
}

#[test]
fn noise_is_that_of_the_second_implementation() {
    let golden = golden();
    let found = Noise::new(5, 1).normals(golden.noise.len());
    assert_close(tensor(&found, [found.len()]), &golden.noise);
}

#[test]
fn a_sequence_does_not_depend_on_its_neighbours() {
    let golden = golden();
    let weights = golden_weights();
    let block = &weights.model().denoiser.blocks[0].block;
    let context = Context::default();
    let heads = golden.config.num_attention_heads;
    let both = [&golden.x[..], &golden.attention[..]].concat();
    let together = block.attention(tensor(&both, [10, 16]), 2, heads, &one(5), context.block(0));
    assert_close(together.narrow(0, 0, 5), &golden.attention);
}

fn settings() -> DiffusionSettings {
    DiffusionSettings {
        model: golden().config,
        optimizer: OptimizerSettings {
            max_grad_norm: Some(1.0),
            ..OptimizerSettings::adamw(1e-2)
        },
        average_decay: 0.9,
        caption_dropout: 0.1,
        batch_size: 4,
        steps: 60,
        seed: 1,
    }
}

fn fresh() -> DiffusionPretraining {
    DiffusionPretraining::new(settings(), &Device::flex()).unwrap()
}

/// A red, a green and a blue picture.
fn pictures() -> Pictures {
    let config = golden().config;
    let picture = |channel: usize| -> Vec<u8> {
        (0..config.picture_values())
            .map(|index| if index % 3 == channel { 220 } else { 30 })
            .collect()
    };
    Pictures {
        captions: ["red", "green", "blue"].map(str::to_owned).to_vec(),
        patches: (0..3).map(|c| to_patches(&picture(c), &config)).collect(),
        validation: 0,
    }
}

fn batch(stream: u64) -> FlowBatch {
    let words = Words::new("red\ngreen\nblue");
    FlowBatch::draw(&pictures(), &[0, 1, 2, 0], (&words, 3), 0.1, (1, stream))
}

#[pollster::test]
async fn gradients_of_all_weights_are_the_finite_differences() {
    let mut training = fresh();
    // Fresh weights of 0 would hide most of the model.
    training.weights = golden_weights();
    let batch = batch(0);
    let (_, gradients) = training.gradients(&batch);
    let names: Vec<String> = training
        .weights
        .weights
        .iter()
        .map(|w| w.name.clone())
        .collect();
    const H: f32 = 4e-3;
    for (index, gradient) in gradients.into_iter().enumerate() {
        let gradient = values(gradient);
        let largest = gradient.iter().fold(0.0_f32, |most, g| most.max(g.abs()));
        assert!(largest > 0.0, "{} has no gradient", names[index]);
        let place = gradient.iter().position(|g| g.abs() == largest).unwrap();
        let original = training.weights.weights[index].value.clone();
        let mut losses = [0.0; 2];
        for (loss, sign) in losses.iter_mut().zip([1.0, -1.0]) {
            let mut moved = values(original.clone());
            moved[place] += sign * H;
            training.weights.weights[index].value = tensor(&moved, original.dims());
            let found = batch.losses(&training.weights.model(), &Context::default());
            *loss = values(found).into_iter().map(f64::from).sum::<f64>() / 4.0;
        }
        training.weights.weights[index].value = original;
        let difference = (losses[0] - losses[1]) / (2.0 * f64::from(H));
        let gradient = f64::from(gradient[place]);
        assert!(
            (difference - gradient).abs() < 1e-2 * gradient.abs() + 1e-3,
            "{}: {gradient} by autodiff, {difference} by differences",
            names[index]
        );
    }
}

#[pollster::test]
async fn the_loss_falls_from_that_of_no_velocity() {
    let mut training = fresh();
    let mut losses = Vec::new();
    while !training.is_finished() {
        let batch = batch(u64::from(training.steps_done()));
        losses.push(training.step(&batch).await.unwrap().loss);
    }
    // Noise has a mean square of 1, the pictures have one of 0.56.
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    assert!((losses[0] - 1.6).abs() < 0.2, "{}", losses[0]);
    let last = mean(&losses[50..]);
    assert!(last < 1.2, "{last}");
}

#[pollster::test]
async fn a_resumed_pretraining_is_the_uninterrupted_one() {
    let mut whole = fresh();
    let mut first = fresh();
    for step in 0..3 {
        whole.step(&batch(step)).await.unwrap();
        first.step(&batch(step)).await.unwrap();
    }
    let kept = first.checkpoint().await.unwrap();
    let mut second = DiffusionPretraining::resume(&kept, &Device::flex()).unwrap();
    assert_eq!(second.steps_done(), 3);
    for step in 3..6 {
        let expected = whole.step(&batch(step)).await.unwrap();
        assert_eq!(second.step(&batch(step)).await.unwrap(), expected);
    }
    let held_out = batch(99);
    let expected = whole.evaluate(&held_out).await.unwrap();
    assert_eq!(second.evaluate(&held_out).await.unwrap(), expected);
    assert!(matches!(
        DiffusionPretraining::resume(&kept[..kept.len() / 2], &Device::flex()),
        Err(SessionError::Checkpoint(_))
    ));
}

#[pollster::test]
async fn the_average_follows_the_weights() {
    let mut training = fresh();
    let first = values(training.average().weights[0].value.clone())[0];
    training.step(&batch(0)).await.unwrap();
    let weight = values(training.weights.weights[0].value.clone())[0];
    let average = values(training.average().weights[0].value.clone())[0];
    // min(0.9, (1 + 1) / (10 + 1)) stays.
    let expected = first * 2.0 / 11.0 + weight * 9.0 / 11.0;
    assert!((average - expected).abs() < 1e-6, "{average} {expected}");
}

#[pollster::test]
async fn the_written_model_is_the_trained_one_to_f16() {
    let weights = golden_weights();
    let bytes = weights.to_safetensors().await.unwrap();
    let read = DiffusionWeights::read(&weights.config, &bytes, &Device::flex()).unwrap();
    assert_eq!(read.parameters(), weights.parameters());
    let losses =
        |weights: &DiffusionWeights| values(batch(0).losses(&weights.model(), &Context::default()));
    for (written, trained) in losses(&read).into_iter().zip(losses(&weights)) {
        assert!(
            (written / trained - 1.0).abs() < 5e-3,
            "{written} {trained}"
        );
    }
}

#[test]
fn pictures_survive_the_way_to_patches_and_back() {
    let config = golden().config;
    let picture: Vec<u8> = (0..config.picture_values())
        .map(|i| (i * 7 % 256) as u8)
        .collect();
    let patches = to_patches(&picture, &config);
    assert_eq!(from_patches(&patches, &config), picture);
    // The second patch begins right of the first: at pixel 4 of row 0.
    assert_eq!(patches[48], f32::from(picture[12]) / 127.5 - 1.0);
    // The second row of the first patch is at pixel 0 of row 1.
    assert_eq!(patches[12], f32::from(picture[24]) / 127.5 - 1.0);
}

#[test]
fn captions_are_left_out_as_often_as_asked() {
    let words = Words::new("red\ngreen\nblue");
    let indices = vec![1; 2000];
    let batch = FlowBatch::draw(&pictures(), &indices, (&words, 3), 0.25, (1, 0));
    let without = batch.ids.chunks(3).filter(|ids| ids[0] == 0).count();
    // Four standard deviations of a binomial with 2000 draws at 1/4 are 77.
    assert!((423..=577).contains(&without), "{without}");
    let middle = batch
        .times
        .iter()
        .filter(|time| (0.269..0.731).contains(*time));
    // σ(±1) = 0.269, 0.731: 68.3% of a logit-normal time lie between, four standard deviations are 83.
    assert!(middle.count().abs_diff(1366) < 83);
}

#[test]
fn files_that_are_none_are_refused() {
    let config = golden().config;
    let refused = Pictures::read(b"no file", &config).unwrap_err().to_string();
    assert!(refused.contains("scripts/make-icons"), "{refused}");
    let weights = include_bytes!("../../tests/fixtures/diffusion/weights.safetensors");
    assert!(Pictures::read(weights, &config).is_err());
    let other = DiffusionConfig {
        hidden_size: 32,
        ..config
    };
    let refused = DiffusionWeights::read(&other, weights, &Device::flex());
    assert!(matches!(refused, Err(SessionError::Checkpoint(_))));
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let refused = |change: fn(&mut DiffusionSettings)| {
        let mut settings = settings();
        change(&mut settings);
        DiffusionPretraining::new(settings, &Device::flex())
            .unwrap_err()
            .to_string()
    };
    assert!(refused(|s| s.batch_size = 0).starts_with("batch_size is 0"));
    assert!(refused(|s| s.model.patch_size = 3).starts_with("patch_size is 3"));
    assert!(refused(|s| s.model.num_attention_heads = 5).starts_with("num_attention_heads is 5"));
    assert!(refused(|s| s.average_decay = 1.0).starts_with("average_decay is 1"));
    assert!(refused(|s| s.caption_dropout = f64::NAN).starts_with("caption_dropout is NaN"));
    assert!(
        refused(|s| s.optimizer = OptimizerSettings::scaled_adamw(1e-3)).contains("preconditioner")
    );
}
