//! The works for a worker of the benchmark's page.

use std::cell::RefCell;
use std::sync::atomic::Ordering::Relaxed;

use burn::tensor::Device;
use js_sys::Float32Array;
use riemann_lora::train::counting;
use wasm_bindgen::prelude::*;

use super::work::Work;

thread_local! {
    static DEVICE: RefCell<Option<Device>> = const { RefCell::new(None) };
}

/// A work with its weights.
#[wasm_bindgen]
pub struct BenchWork(Work);

#[wasm_bindgen]
impl BenchWork {
    /// The work `name` at `size`, on this module's engine.
    ///
    /// # Errors
    /// A name that there is not, or an engine that cannot be used.
    pub async fn prepare(name: String, size: String) -> Result<Self, JsError> {
        let device = match DEVICE.with_borrow(Clone::clone) {
            Some(device) => device,
            None => {
                let (device, _) = riemann_lora::engine::start().await?;
                #[cfg(feature = "webgpu")]
                riemann_lora::kernel::webgpu::choose(None, &device).await;
                DEVICE.set(Some(device.clone()));
                device
            }
        };
        let work = Work::new(&name, &size, &device);
        work.map(Self)
            .ok_or_else(|| JsError::new(&format!("there is no work {name} of size {size}")))
    }

    /// One step; its loss.
    pub async fn step(&mut self) -> f64 {
        self.0.step().await
    }

    /// What some of the rows add to a step, of a work that has rows to share.
    pub async fn shard(&mut self, shard: usize, shards: usize) -> Option<Float32Array> {
        let values = self.0.shard(shard, shards).await?;
        Some(Float32Array::from(values.as_slice()))
    }

    /// The step from all its shards; its loss.
    pub async fn step_with_shards(&mut self, shards: Vec<Float32Array>) -> Option<f64> {
        let shards: Vec<Vec<f32>> = shards.iter().map(Float32Array::to_vec).collect();
        self.0.step_with_shards(&shards).await
    }

    /// The most bytes that one step allocates beside what is there before it.
    pub async fn step_bytes(&mut self) -> f64 {
        let before = counting::NOW.load(Relaxed);
        counting::MOST.store(before, Relaxed);
        self.0.step().await;
        (counting::MOST.load(Relaxed) - before) as f64
    }

    /// What engines are compared by after a step with this loss.
    pub async fn check(&self, loss: f64) -> f64 {
        self.0.check(loss).await
    }
}
