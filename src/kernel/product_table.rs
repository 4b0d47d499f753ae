//! With which way of computing products an adapter is fastest, as plain data: the page keeps it also for builds that have
//! but one way.

use serde::{Deserialize, Serialize};

/// The faster way of an adapter with each kind of product of matrices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProductTable {
    /// What was measured; a table of another version is of no use.
    pub version: u32,
    /// One for each kind.
    pub choices: Vec<ProductChoice>,
}

/// A way of computing products, and how long it and the other took when it was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProductChoice {
    /// Of which products.
    pub kind: ProductKind,
    /// The way that is taken.
    pub strategy: ProductStrategy,
    /// Seconds in tiles of registers; null where the adapter cannot.
    pub tiles_seconds: Option<f64>,
    /// Seconds of burn's own; null where the adapter cannot.
    pub burn_seconds: Option<f64>,
    /// Seconds in tiles with half precision; null where it is not for these products, or the adapter cannot.
    pub half_seconds: Option<f64>,
}

/// Products of matrices that are chosen for apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ProductKind {
    /// Activations by a wide weight as it lies, `x · Wᵀ`.
    Forward,
    /// Gradients by a wide weight, `g · W`.
    Backward,
    /// With a matrix of few rows or columns, as `lora_a` and `lora_b` are.
    Narrow,
}

/// Ways to compute products of matrices on a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ProductStrategy {
    /// In tiles of registers, read where the matrices lie.
    Tiles,
    /// burn's, staged in memory of the workgroup.
    Burn,
}
