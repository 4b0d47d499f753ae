//! Bytes in, model out.

pub mod error;
pub mod source;

pub use error::LoadError;
pub use source::Source;
