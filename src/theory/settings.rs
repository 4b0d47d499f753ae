use serde::{Deserialize, Serialize};

use super::error::{TheoryError, must};

/// Which problem is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TheoryProblemKind {
    /// One term: ½‖X((BA)ᵀ − M)‖². With an orthogonal X it is the factorisation of a matrix, for
    /// which the metric was found (Mishra and Sepulchre 2016; Tong, Ma and Chi 2021).
    LowRankRecovery,
    /// The paper's problem 3: Xᵢ = Dᵢ X with activation patterns Dᵢ = diag(1{X uᵢ ≥ 0}) of random
    /// directions uᵢ.
    TwoLayerRelu,
    /// The same with patterns that share no row and blocks Dᵢ X that are isometries at a data
    /// condition of 1: what Assumption 7.2 asks for, with constants of 0. An idealisation, for
    /// sampled patterns share half of their rows.
    DisjointPatterns,
}

/// How the factors are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TheoryMethod {
    /// Gradient descent.
    Gd,
    /// G_A ← (BᵀB + δI)⁻¹ G_A and G_B ← G_B (AAᵀ + δI)⁻¹ (the paper's eq. 1).
    ScaledGd,
    /// G_A ← (BᵀB + δI)⁻¹ G_A S⁻¹ and G_B ← G_B (A S Aᵀ + δI)⁻¹ with S = XᵢᵀXᵢ: scaled GD on
    /// whitened blocks. Not in the paper.
    DataScaledGd,
    /// G_A ← (BᵀB + δI)⁻¹ G_A (I − ½P_A) and G_B ← (I − ½P_B) G_B (AAᵀ + δI)⁻¹: scaled GD without what the steps of
    /// both factors count twice, the projection on the tangent space of matrices of rank r. Not in the paper.
    TangentGd,
}

impl TheoryMethod {
    /// In the order in which they are shown.
    pub const ALL: [Self; 4] = [
        Self::Gd,
        Self::ScaledGd,
        Self::DataScaledGd,
        Self::TangentGd,
    ];

    /// As figures call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gd => "gd",
            Self::ScaledGd => "scaled_gd",
            Self::DataScaledGd => "data_scaled_gd",
            Self::TangentGd => "tangent_gd",
        }
    }
}

/// Where the factors start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TheoryStart {
    /// A Gaussian with variance 1/d, B = 0, as LoRA does.
    Lora,
    /// The best approximations of rank r of Xᵢᵀ T (the paper's Definition 7.3), split evenly.
    Spectral,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct TheoryProblem {
    /// Which problem.
    pub problem: TheoryProblemKind,
    /// Largest over smallest singular value of the planted changes, 1 to 1000.
    pub planted_condition: f64,
    /// Largest over smallest singular value of X (of its blocks, where patterns are disjoint), 1 to 1000.
    pub data_condition: f64,
    /// Rank r of the planted changes and of the adapters, 2 to 10. At rank 1 there would be no
    /// condition number to plant.
    pub rank: u32,
    /// Where the factors start.
    pub start: TheoryStart,
    /// Condition number of R, 1 to 1000: methods start from B R and R⁻¹ A, the same product in other factors.
    pub factor_condition: f64,
    /// δ of the metrics, above 0.
    pub damping: f64,
    /// Seed of data, patterns, planted changes and start.
    pub seed: u32,
}

impl Default for TheoryProblem {
    fn default() -> Self {
        Self {
            problem: TheoryProblemKind::TwoLayerRelu,
            planted_condition: 1.0,
            data_condition: 1.0,
            rank: 2,
            start: TheoryStart::Lora,
            factor_condition: 1.0,
            damping: 1e-6,
            seed: 0,
        }
    }
}

/// Largest condition number that can be asked for; far above, f64 itself sets the error.
pub const LARGEST_CONDITION: f64 = 1000.0;

/// Smallest and largest rank.
pub const RANKS: (u32, u32) = (2, super::problem::OUTPUTS as u32);

impl TheoryProblem {
    /// Refuses what is out of range.
    ///
    /// # Errors
    /// The first setting that is.
    pub fn check(&self) -> Result<(), TheoryError> {
        let condition = |value: f64| (1.0..=LARGEST_CONDITION).contains(&value);
        let conditions = format!("a number from 1 to {LARGEST_CONDITION}");
        must(
            condition(self.planted_condition),
            "planted_condition",
            &conditions,
            self.planted_condition,
        )?;
        must(
            condition(self.data_condition),
            "data_condition",
            &conditions,
            self.data_condition,
        )?;
        must(
            condition(self.factor_condition),
            "factor_condition",
            &conditions,
            self.factor_condition,
        )?;
        let (low, high) = RANKS;
        must(
            (low..=high).contains(&self.rank),
            "rank",
            format!("a whole number from {low} to {high}, the number of outputs"),
            self.rank,
        )?;
        must(
            self.damping > 0.0 && self.damping.is_finite(),
            "damping",
            "a number above 0: lora_b starts at 0, and BᵀB alone has no inverse",
            self.damping,
        )
    }
}

/// What failures call a method's learning rate.
pub(super) fn lr_field(method: TheoryMethod) -> &'static str {
    match method {
        TheoryMethod::Gd => "lr.gd",
        TheoryMethod::ScaledGd => "lr.scaled_gd",
        TheoryMethod::DataScaledGd => "lr.data_scaled_gd",
        TheoryMethod::TangentGd => "lr.tangent_gd",
    }
}

/// Refuses a learning rate that is none.
pub(super) fn check_lr(field: &'static str, lr: f64) -> Result<(), TheoryError> {
    must(lr > 0.0 && lr.is_finite(), field, "a number above 0", lr)
}
