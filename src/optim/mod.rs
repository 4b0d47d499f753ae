//! Gradients in, updates out: one concept a file.

pub mod adamw;
pub mod clip;
pub mod coefficients;
pub mod diagnostics;
pub mod elements;
pub mod inverse;
pub mod layer_diagnostics;
pub mod layout;
pub mod log_determinant;
pub mod moments;
pub mod muon;
pub mod optimizer;
pub mod precondition;
pub mod presets;
pub mod realignment;
pub mod schedule;
pub mod settings;
pub mod square;
pub mod step_cap;

pub use coefficients::Coefficients;
pub use diagnostics::{Diagnostics, RunDiagnostics};
pub use layer_diagnostics::LayerDiagnostics;
pub use layout::{BankLayout, Both, Factor};
pub use moments::Moments;
pub use optimizer::{BankCoefficients, Detail, Optimizer, OptimizerState};
pub use presets::{Method, Preset, presets};
pub use schedule::{Decay, Schedule};
pub(crate) use settings::shown;
pub use settings::{
    DampingKind, OptimizerSettings, Order, Place, PreconditionerSettings, SettingError,
    TrainedFactors, UpdateRule,
};
