//! Operations of our own on WebGPU, each one launch where burn's operations are many.
//!
//! burn's fusion sees them as closed: what lies before and after is fused without them.

mod adapter_product;
mod attention;
mod cross_entropy;
mod element;
mod gated;
mod packed;
mod place;
mod probe;
mod product;
mod rms_norm;
mod room;
mod rotate;
mod rows;
mod strategy;
mod sweep;
mod tiles;

pub use adapter_product::adapter_product;
pub use packed::PackedMatrix;
pub use place::{Place, gather};
pub use probe::choose;
pub(super) use product::product;
pub use sweep::{inverse, log_determinant};
