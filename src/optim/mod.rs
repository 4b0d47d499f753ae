//! Gradients in, updates out: one concept a file.

pub mod adamw;
pub mod clip;
pub mod coefficients;
pub mod diagnostics;
pub mod elements;
pub mod inverse;
pub mod layout;
pub mod moments;
pub mod muon;
pub mod optimizer;
pub mod precondition;
pub mod presets;
pub mod schedule;
pub mod settings;
pub mod square;

pub use coefficients::Coefficients;
pub use diagnostics::{Diagnostics, RunDiagnostics};
pub use layout::{BankLayout, Both, Factor};
pub use moments::Moments;
pub use optimizer::{BankCoefficients, Optimizer};
pub use presets::{Method, Preset, presets};
pub use schedule::{Decay, Schedule};
pub(crate) use settings::shown;
pub use settings::{
    DampingKind, OptimizerSettings, Order, Place, PreconditionerSettings, SettingError,
    TrainedFactors, UpdateRule,
};
