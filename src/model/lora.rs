//! The one place where a linear layer meets its bank.

use burn::tensor::Tensor;

use super::FrozenWeight;
use crate::kernel::{Form, ProductPrecision, product};

/// The adapters of all K runs on one linear layer.
///
/// ΔW of run k is `scale · b[k] · a[k]`, as PEFT names and shapes it.
#[derive(Debug, Clone)]
pub struct Bank {
    /// `lora_a` of every run: [K, r, in].
    pub a: Tensor<3>,
    /// `lora_b` of every run: [K, out, r].
    pub b: Tensor<3>,
}

/// What an adapter needs beside its factors in one forward pass.
#[derive(Debug, Clone)]
pub struct AdapterInput<'a> {
    /// The layer's bank.
    pub bank: &'a Bank,
    /// alpha / r.
    pub scale: f64,
    /// Inverted dropout on the adapter's input, [1, N, in], shared by all runs: each element is
    /// 0 or 1 / (1 - dropout). `None` outside training.
    pub dropout: Option<Tensor<3>>,
    /// Where the gradients of A and B belong, if they are wanted together with all others.
    #[cfg(feature = "webgpu")]
    pub places: Option<[crate::kernel::webgpu::Place; 2]>,
}

/// `x · Wᵀ`, plus each run's `scale · (x · Aᵀ) · Bᵀ` where there is a bank.
///
/// The base is one matrix product over the rows of all runs; ΔW is never made, so neither it nor
/// a gradient of its size exists. `precision` is the base's.
///
/// # Shapes
/// - `x`: [K·N, in], the rows of run 0 first
/// - `weight`: [out, in]
/// - result: [K·N, out]
pub fn linear(
    x: Tensor<2>,
    weight: &FrozenWeight,
    adapter: Option<AdapterInput<'_>>,
    precision: ProductPrecision,
) -> Tensor<2> {
    let base = weight.forward(x.clone(), precision);
    match adapter {
        Some(adapter) => base + change(x, adapter),
        None => base,
    }
}

/// What the bank adds to the output of its layer: each run's `scale · (x · Aᵀ) · Bᵀ`.
///
/// # Shapes
/// - `x`: [K·N, in], the rows of run 0 first
/// - result: [K·N, out]
pub fn change(x: Tensor<2>, adapter: AdapterInput<'_>) -> Tensor<2> {
    let AdapterInput {
        bank,
        scale,
        dropout,
        #[cfg(feature = "webgpu")]
        places,
    } = adapter;
    let [rows, inputs] = x.dims();
    let [runs, outputs, _] = bank.b.dims();
    let mut x = x.reshape([runs, rows / runs, inputs]); // [K, N, in]
    if let Some(dropout) = dropout {
        x = x * dropout;
    }
    #[cfg(feature = "webgpu")]
    if let Some([a, b]) = &places {
        use crate::kernel::webgpu::adapter_product;
        let low = adapter_product(x, bank.a.clone(), a).mul_scalar(scale); // [K, N, r]
        return adapter_product(low, bank.b.clone(), b).reshape([rows, outputs]);
    }
    let low = product(x, bank.a.clone(), Form::RightTransposed).mul_scalar(scale); // [K, N, r]
    let delta = product(low, bank.b.clone(), Form::RightTransposed); // [K, N, out]
    delta.reshape([rows, outputs])
}
