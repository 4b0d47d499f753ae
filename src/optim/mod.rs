//! Gradients in, updates out: one concept a file.

pub mod adamw;
pub mod clip;
pub mod coefficients;
pub mod inverse;
pub mod optimizer;
pub mod precondition;
pub mod schedule;
pub mod settings;

pub use coefficients::Coefficients;
pub use optimizer::{BankGradients, BankMoments, Optimizer};
pub use schedule::{Decay, Schedule};
pub use settings::{OptimizerSettings, Order, PreconditionerSettings, SettingError, UpdateRule};
