//! Pictures to batches, any step's without the ones before.

use super::{flow::FlowBatch, pictures::Pictures, words::Words};
use crate::data::{BatchOrder, DataError};

/// Random streams of the steps' batches count from here: lower ones are those of adapters, dropout and weights under the same
/// seed.
const TRAINING_STREAMS: u64 = 1 << 63;
/// The random stream of the validation batch.
const VALIDATION_STREAM: u64 = u64::MAX;
/// Noisy pictures that a validation loss is the mean of; fewer would leave it to chance which times are drawn.
const VALIDATION_ROWS: usize = 60;

/// In which order pictures are trained on, with which noise.
#[derive(Debug, Clone)]
pub struct PictureBatches {
    order: BatchOrder,
    caption_dropout: f64,
    seed: u64,
}

impl PictureBatches {
    /// Batches of `rows` pictures; `caption_dropout` is the share of captions that are left out.
    ///
    /// # Errors
    /// No pictures to train on, or no rows.
    pub fn new(
        pictures: &Pictures,
        rows: usize,
        caption_dropout: f64,
        seed: u64,
    ) -> Result<Self, DataError> {
        Ok(Self {
            order: BatchOrder::new(pictures.train().len(), rows, seed)?,
            caption_dropout,
            seed,
        })
    }

    /// The batch of `step`, from 0. `reading` is how captions are read: the words, and their places.
    pub fn batch(&mut self, pictures: &Pictures, reading: (&Words, usize), step: u64) -> FlowBatch {
        let indices = self.order.indices(step);
        let random = (self.seed, TRAINING_STREAMS | step);
        FlowBatch::draw(pictures, &indices, reading, self.caption_dropout, random)
    }
}

/// The pictures that are not trained on, each with several times and noises, always the same; `None` where there are none.
pub fn validation_batch(pictures: &Pictures, reading: (&Words, usize)) -> Option<FlowBatch> {
    if pictures.validation().is_empty() {
        return None;
    }
    let rows = VALIDATION_ROWS.max(pictures.validation().len());
    let indices: Vec<usize> = pictures.validation().cycle().take(rows).collect();
    let random = (0, VALIDATION_STREAM);
    Some(FlowBatch::draw(pictures, &indices, reading, 0.0, random))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::{DiffusionConfig, pictures::to_patches};

    fn pictures(validation: usize) -> (Pictures, Words) {
        let config = DiffusionConfig {
            image_size: 2,
            patch_size: 1,
            vocab_size: 20,
            caption_length: 2,
            hidden_size: 4,
            intermediate_size: 4,
            num_attention_heads: 2,
            text_layers: 1,
            denoiser_layers: 1,
        };
        let words = ["red", "green", "blue"];
        let pictures = Pictures {
            captions: words.map(str::to_owned).to_vec(),
            patches: (0..3)
                .map(|n| to_patches(&[n * 100; 12], &config))
                .collect(),
            validation,
        };
        (pictures, Words::new(&words.join("\n")))
    }

    #[test]
    fn an_epoch_has_every_picture_to_train_on_and_no_other() {
        let (pictures, words) = pictures(1);
        let mut batches = PictureBatches::new(&pictures, 2, 0.0, 3).unwrap();
        let mut ids = batches.batch(&pictures, (&words, 1), 4).ids;
        ids.sort_unstable();
        assert_eq!(ids, [16, 17]);
        let again = batches.batch(&pictures, (&words, 1), 7);
        assert_eq!(batches.batch(&pictures, (&words, 1), 7), again);
        assert_ne!(batches.batch(&pictures, (&words, 1), 8).noisy, again.noisy);
        let error = PictureBatches::new(&pictures, 0, 0.0, 3).unwrap_err();
        assert!(error.to_string().contains("at least 1"));
    }

    #[test]
    fn a_step_does_not_draw_what_adapters_of_the_seed_begin_with() {
        let (pictures, words) = pictures(0);
        let mut batches = PictureBatches::new(&pictures, 3, 0.0, 3).unwrap();
        let order = BatchOrder::new(3, 3, 3).unwrap().indices(1);
        let shared = FlowBatch::draw(&pictures, &order, (&words, 1), 0.0, (3, 1));
        let drawn = batches.batch(&pictures, (&words, 1), 1);
        assert_eq!(drawn.ids, shared.ids);
        assert!(drawn.times.iter().all(|time| !shared.times.contains(time)));
    }

    #[test]
    fn validation_has_the_others_several_times() {
        let (pictures, words) = pictures(1);
        let batch = validation_batch(&pictures, (&words, 2)).unwrap();
        assert_eq!(batch.rows, 60);
        assert_eq!(batch.ids[..4], [18, 0, 18, 0]);
        assert_ne!(batch.times[0], batch.times[1]);
        let parts: Vec<FlowBatch> = batch.parts(25).collect();
        assert_eq!(
            parts.iter().map(|part| part.rows).collect::<Vec<_>>(),
            [25, 25, 10]
        );
        let noisy: Vec<f32> = parts.iter().flat_map(|part| part.noisy.clone()).collect();
        assert_eq!(noisy, batch.noisy);
        assert_eq!(parts[2].ids.len(), 20);
        assert!(validation_batch(&self::pictures(0).0, (&words, 2)).is_none());
    }
}
