//! What lies between products, on the CPU: one pass over memory each.

mod attention;
mod cross_entropy;
mod gated;
pub(super) mod host;
mod rms_norm;
mod rotate;
