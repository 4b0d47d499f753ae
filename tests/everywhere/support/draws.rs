//! Random tensors that are the same at every run of a test, whichever tests run beside it.
//!
//! burn's own random numbers come from one state of the whole process, so what a test gets there depends on its
//! neighbours, and a tolerance that holds for almost every draw fails once in a hundred runs.

use std::cell::RefCell;

use burn::tensor::{Device, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

thread_local! {
    static DRAWS: RefCell<ChaCha8Rng> = RefCell::new(ChaCha8Rng::seed_from_u64(0));
}

/// Begins the stream of the test `name`. A test runs on one thread, and in the browser one after another.
pub fn start(name: &str) {
    let seed = name
        .bytes()
        .fold(0, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte));
    DRAWS.set(ChaCha8Rng::seed_from_u64(seed));
}

/// Almost normal numbers of mean 0, next in the test's stream: sums of twelve uniform ones, whose variance is 1.
pub fn normal<const D: usize>(shape: [usize; D], deviation: f32, device: &Device) -> Tensor<D> {
    let values: Vec<f32> = DRAWS.with_borrow_mut(|draws| {
        (0..shape.iter().product())
            .map(|_| (0..12).map(|_| draws.random_range(-0.5..0.5)).sum::<f32>() * deviation)
            .collect()
    });
    Tensor::from_data(TensorData::new(values, shape), device)
}
