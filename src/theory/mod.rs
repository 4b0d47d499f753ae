//! What the paper's theory says, on problems small enough to see it: plain f64, no model.
//!
//! Every problem here is Σᵢ Xᵢ (Bᵢ Aᵢ)ᵀ ≈ T with `lora_a` Aᵢ [r, d], `lora_b` Bᵢ [c, r] and a target
//! T that planted changes of rank r make exactly ([`problem`]). [`descent`] trains the factors by
//! gradient descent, by scaled gradient descent (Zhang and Pilanci, arXiv 2402.02347, eq. 1), and by
//! a variant of ours whose metric also knows the data. [`search`] finds each method's best learning
//! rate, and [`live`] is what the page's worker calls. [`width`] asks the other question of the paper's theory: which learning rates keep the
//! features of a wide layer at constant size.
//!
//! All randomness is ChaCha8 and all arithmetic is written out in f64, so that the numbers are the
//! same natively and in the browser.

pub mod descent;
mod error;
mod linear_algebra;
pub mod live;
pub mod problem;
mod random;
pub mod search;
mod settings;
pub mod width;

pub use error::TheoryError;
pub use settings::{TheoryMethod, TheoryProblem, TheoryProblemKind, TheoryStart};
