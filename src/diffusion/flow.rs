//! Flow matching: noisy pictures on straight lines from picture to noise, and the loss of their velocity (Liu et al.,
//! arXiv 2209.03003; Lipman et al., arXiv 2210.02747).

use std::ops::Range;

use burn::tensor::{Tensor, TensorData};

use super::{
    model::DiffusionModel,
    noise::Noise,
    pictures::Pictures,
    words::{NO_WORD, Words},
};
use crate::model::Context;

/// Noisy pictures with what is to be learned from them.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowBatch {
    /// Pictures, B.
    pub rows: usize,
    /// Ids of the captions, [B, W].
    pub ids: Vec<i32>,
    /// Where on its line each is, [B]: 0 is the picture, 1 is noise.
    pub times: Vec<f64>,
    /// `(1 - t) · picture + t · noise`, [B, P, patch values].
    pub noisy: Vec<f32>,
    /// `noise - picture`, [B, P, patch values].
    pub velocity: Vec<f32>,
}

impl FlowBatch {
    /// The pictures `indices`, with times and noise out of the stream `stream` of `seed`.
    ///
    /// Times are logit-normal, dense in the middle where there is most to learn (Esser et al., arXiv 2403.03206). A
    /// share `caption_dropout` of the captions is left out, so that the model also learns what pictures without caption
    /// look like.
    pub fn draw(
        pictures: &Pictures,
        indices: &[usize],
        (words, caption_length): (&Words, usize),
        caption_dropout: f64,
        (seed, stream): (u64, u64),
    ) -> Self {
        let mut random = Noise::new(seed, stream);
        let mut batch = Self {
            rows: indices.len(),
            ids: Vec::new(),
            times: Vec::new(),
            noisy: Vec::new(),
            velocity: Vec::new(),
        };
        for &index in indices {
            let time = 1.0 / (1.0 + libm::exp(-random.normal()));
            let without_caption = random.uniform() <= caption_dropout;
            let picture = &pictures.patches[index];
            let noise = random.normals(picture.len());
            match without_caption {
                true => batch.ids.extend(vec![NO_WORD; caption_length]),
                false => {
                    let caption = words.encode(&pictures.captions[index], caption_length);
                    batch.ids.extend(caption);
                }
            }
            batch.times.push(time);
            let t = time as f32;
            for (x, noise) in picture.iter().zip(&noise) {
                batch.noisy.push((1.0 - t) * x + t * noise);
                batch.velocity.push(noise - x);
            }
        }
        batch
    }

    /// The same pictures in batches of at most `rows`.
    pub fn parts(&self, rows: usize) -> impl Iterator<Item = Self> {
        let starts = (0..self.rows).step_by(rows);
        starts.map(move |start| self.part(start..(start + rows).min(self.rows)))
    }

    /// Some of the pictures.
    ///
    /// # Panics
    /// With one that is not there.
    pub fn part(&self, rows: Range<usize>) -> Self {
        let (ids, values) = (self.ids.len() / self.rows, self.noisy.len() / self.rows);
        let of = |width: usize| rows.start * width..rows.end * width;
        Self {
            rows: rows.len(),
            ids: self.ids[of(ids)].to_vec(),
            times: self.times[rows.clone()].to_vec(),
            noisy: self.noisy[of(values)].to_vec(),
            velocity: self.velocity[of(values)].to_vec(),
        }
    }

    /// Mean squared error of the model's velocity, of each picture for each run.
    ///
    /// # Shapes
    /// - result: [K·B], the pictures of run 0 first
    pub fn losses(&self, model: &DiffusionModel, context: &Context<'_>) -> Tensor<1> {
        let runs = context.adapters.map_or(1, |adapters| adapters.runs);
        let sequences = runs * self.rows;
        let shape = [
            self.rows,
            model.config.patches(),
            model.config.patch_values(),
        ];
        let tensor = |values: &[f32]| {
            let data = TensorData::new(values.to_vec(), shape);
            Tensor::<3>::from_data(data, &model.device).repeat_dim(0, runs)
        };
        let text = model.encode(&self.ids.repeat(runs), context);
        let velocity = model.velocity(tensor(&self.noisy), &self.times.repeat(runs), text, context);
        let error = (velocity - tensor(&self.velocity)).square();
        let error: Tensor<2> = error.reshape([sequences, shape[1] * shape[2]]);
        error.mean_dim(1).reshape([sequences])
    }
}
