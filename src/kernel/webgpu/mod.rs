//! Operations of our own on WebGPU, each one launch where burn's operations are many.
//!
//! burn's fusion sees them as closed: what lies before and after is fused without them.

mod adapter_product;
mod place;
mod rms_norm;
mod rotate;
mod rows;
mod softmax;
mod sweep;
mod swiglu;

pub use adapter_product::adapter_product;
pub use place::{Place, gather};
pub use sweep::inverse;
