//! One weight that is trained, and lists of them.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, TensorData, Transaction};
use half::f16;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::{Dtype, tensor::TensorView};

use crate::engine::EngineError;
use crate::tensor_file::TensorFileError;

/// What a weight begins with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// One value everywhere.
    Constant(f32),
    /// Uniform around 0 with this standard deviation.
    Uniform(f64),
}

/// One weight.
#[derive(Debug, Clone)]
pub struct Weight {
    /// Its name in the model's file.
    pub name: String,
    /// Its shape in the model's file: [out, in], or [C] of a vector.
    pub shape: Vec<usize>,
    /// [1, out, in]; a vector is [1, 1, C]. The optimizer takes it for a bank of one run.
    pub value: Tensor<3>,
}

impl Weight {
    /// A fresh weight, which draws from the ChaCha8 stream `stream` of `seed`.
    pub fn new(
        name: String,
        shape: Vec<usize>,
        start: Start,
        (seed, stream): (u64, u64),
        device: &Device,
    ) -> Self {
        let [rows, columns] = match shape[..] {
            [rows, columns] => [rows, columns],
            _ => [1, shape.iter().product()],
        };
        let values: Vec<f32> = match start {
            Start::Constant(value) => vec![value; rows * columns],
            Start::Uniform(deviation) => {
                // The variance of a uniform number in ±b is b² / 3.
                let bound = (deviation * 3.0_f64.sqrt()) as f32;
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                random.set_stream(stream);
                (0..rows * columns)
                    .map(|_| random.random_range(-bound..bound))
                    .collect()
            }
        };
        let value = Tensor::from_data(TensorData::new(values, [1, rows, columns]), device);
        Self { name, shape, value }
    }

    /// Whether it is a matrix, which decays; scales of norms and biases do not.
    pub fn is_matrix(&self) -> bool {
        self.shape.len() == 2
    }
}

/// The values as leaves of a new autodiff graph.
pub fn tracked(weights: &[Weight]) -> Vec<Weight> {
    let mut tracked = weights.to_vec();
    for weight in &mut tracked {
        weight.value = weight.value.clone().autodiff().require_grad();
    }
    tracked
}

/// Gradients of `loss` with respect to all of them; zeros where no path leads to one.
pub fn gradients(loss: &Tensor<1>, weights: &[Weight]) -> Vec<Tensor<3>> {
    let mut gradients = loss.backward();
    let of_weights = weights.iter().map(|weight| {
        let gradient = weight.value.grad_remove(&mut gradients);
        gradient.unwrap_or_else(|| weight.value.clone().inner().zeros_like())
    });
    of_weights.collect()
}

/// Weights by their names.
pub struct ByName<'a>(HashMap<&'a str, &'a Tensor<3>>);

impl<'a> ByName<'a> {
    /// Of these.
    pub fn new(weights: &'a [Weight]) -> Self {
        let entries = weights.iter().map(|w| (w.name.as_str(), &w.value));
        Self(entries.collect())
    }

    /// A matrix, [out, in].
    ///
    /// # Panics
    /// A name that is not among them.
    pub fn matrix(&self, name: &str) -> Tensor<2> {
        self.0[name].clone().squeeze_dim(0)
    }

    /// A vector, [C].
    ///
    /// # Panics
    /// A name that is not among them.
    pub fn vector(&self, name: &str) -> Tensor<1> {
        self.matrix(name).squeeze_dim(0)
    }
}

/// `model.safetensors` with all weights as f16.
///
/// # Errors
/// A device that failed.
pub async fn to_f16(weights: &[Weight]) -> Result<Vec<u8>, TensorFileError> {
    let read = weights
        .iter()
        .fold(Transaction::default(), |transaction, weight| {
            transaction.register(weight.value.clone())
        });
    let data = read.execute_async().await.map_err(EngineError::from)?;
    let bytes: Vec<Vec<u8>> = data
        .iter()
        .map(|data| {
            let values = data.iter::<f32>();
            values
                .flat_map(|value| f16::from_f32(value).to_le_bytes())
                .collect()
        })
        .collect();
    let views = weights.iter().zip(&bytes).map(|(weight, bytes)| {
        let view = TensorView::new(Dtype::F16, weight.shape.clone(), bytes)?;
        Ok((weight.name.as_str(), view))
    });
    let views: Result<Vec<_>, safetensors::SafeTensorError> = views.collect();
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    views
        .and_then(|views| safetensors::serialize(views, Some(metadata)))
        .map_err(|error| TensorFileError::Malformed(error.to_string()))
}
