//! riemann-lora
pub mod data;
pub mod load;
pub mod model;
