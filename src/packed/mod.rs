//! The forms in which files pack weights, and how they are unpacked.
//!
//! Below everything else: files are read in them ([`crate::load`]), and products compute with them ([`crate::kernel`]).

mod blocks_of_256;
mod blocks_of_32;
mod dequantise;
pub mod floats;
mod storage;
pub mod tables;

pub use dequantise::{dequantise, dequantise_rows};
pub use storage::StorageType;
