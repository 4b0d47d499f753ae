//! The factors of single modules as one bank's.

use super::{
    config::Config,
    names::{Factor, Place},
};
use crate::model::{AdapterShape, Target};

/// Scales this close are one: they come from alphas and ranks that somebody wrote.
const SAME: f64 = 1e-9;

/// A tensor of the file.
pub struct Stored {
    /// Its name there.
    pub name: String,
    /// Whether it lies there as [in, r] or [r, out].
    pub transposed: bool,
}

impl Stored {
    /// `values` as the shape `needed`, which is PEFT's.
    ///
    /// # Errors
    /// Another shape.
    pub fn oriented(
        &self,
        shape: Vec<usize>,
        values: Vec<f32>,
        needed: [usize; 2],
    ) -> Result<Vec<f32>, String> {
        let [rows, columns] = needed;
        let stored = match self.transposed {
            true => [columns, rows],
            false => needed,
        };
        if shape != stored {
            return Err(format!(
                "{} is {shape:?}, and this base with the rank of the settings needs {stored:?}; use an adapter of the same base, with the settings \
                 that were saved beside it",
                self.name
            ));
        }
        if !self.transposed {
            return Ok(values);
        }
        let turned = (0..rows).flat_map(|row| values[row..].iter().step_by(rows).copied());
        Ok(turned.collect())
    }
}

/// An adapted module of a block.
#[derive(Debug)]
pub struct Module {
    pub layer: usize,
    pub target: Target,
    /// Inside of its block.
    pub name: &'static str,
    pub inputs: usize,
    pub outputs: usize,
    pub rank: usize,
    /// What its product is multiplied by.
    pub scale: f64,
}

impl Module {
    /// Where a factor of it belongs.
    pub fn place(&self, factor: Factor) -> Place {
        Place {
            layer: self.layer,
            module: self.name,
            factor,
        }
    }

    /// Both.
    pub fn places(&self) -> [Place; 2] {
        [self.place(Factor::A), self.place(Factor::B)]
    }

    /// The shape of a factor.
    pub fn shape(&self, factor: Factor) -> [usize; 2] {
        match factor {
            Factor::A => [self.rank, self.inputs],
            Factor::B => [self.outputs, self.rank],
        }
    }

    /// A [r, in] with rows of zeros up to the common rank.
    pub fn padded_a(&self, mut a: Vec<f32>, shape: &AdapterShape) -> Vec<f32> {
        a.resize(shape.rank * self.inputs, 0.0);
        a
    }

    /// B [out, r] with columns of zeros up to the common rank, times what sets the module's scale apart.
    pub fn padded_b(&self, b: Vec<f32>, shape: &AdapterShape) -> Vec<f32> {
        let factor = self.folded(shape);
        let mut padded = vec![0.0; self.outputs * shape.rank];
        let rows = padded.chunks_exact_mut(shape.rank);
        for (padded, row) in rows.zip(b.chunks_exact(self.rank)) {
            for (padded, value) in padded.iter_mut().zip(row) {
                // In double precision, so that a factor of 1 changes nothing.
                *padded = (f64::from(*value) * factor) as f32;
            }
        }
        padded
    }

    /// What its B takes, so that the common scale is right.
    fn folded(&self, shape: &AdapterShape) -> f64 {
        let common = shape.scale();
        match is_same(self.scale, common) {
            true => 1.0,
            false => self.scale / common,
        }
    }
}

fn is_same(one: f64, other: f64) -> bool {
    (one - other).abs() <= SAME * other.abs()
}

/// The one shape that serves all modules: the largest rank, and the alpha that keeps the scale of most.
pub fn common_shape(config: &Config, modules: &[Module]) -> AdapterShape {
    let rank = modules.iter().map(|module| module.rank).max();
    let rank = rank.unwrap_or(config.rank);
    let sharing = |module: &Module| {
        let others = modules.iter();
        others
            .filter(|other| is_same(other.scale, module.scale))
            .count()
    };
    // The first of those that most share.
    let usual = modules.iter().rev().max_by_key(|module| sharing(module));
    let scale = usual.map_or(1.0, |module| module.scale);
    let written = AdapterShape::scale_of(config.alpha, rank, config.use_rslora);
    let mut targets: Vec<Target> = modules.iter().map(|module| module.target).collect();
    targets.sort_unstable();
    targets.dedup();
    AdapterShape {
        rank,
        // As it is written, where that is it: dividing and multiplying may miss it by a digit.
        alpha: match is_same(scale, written) {
            true => config.alpha,
            false => scale / AdapterShape::scale_of(1.0, rank, config.use_rslora),
        },
        use_rslora: config.use_rslora,
        targets,
    }
}

/// What is said where ranks or scales of modules are not the common ones.
pub fn folding_notice(shape: &AdapterShape, modules: &[Module], rank: usize) -> Vec<String> {
    let mut notices = Vec::new();
    if shape.rank != rank || modules.iter().any(|module| module.rank != shape.rank) {
        notices.push(format!(
            "ranks differ between modules (rank_pattern): all have the largest here, {}, with zeros that stay zeros",
            shape.rank
        ));
    }
    let scaled = modules.iter().filter(|module| module.folded(shape) != 1.0);
    let mut names: Vec<&str> = scaled.map(|module| module.name).collect();
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        notices.push(format!(
            "scales differ between modules: lora_B of {} has taken up the difference, so that one scale of {} serves all; answers are the \
             same, and training goes on from there with that scale",
            names.join(", "),
            (shape.scale() * 1e6).round() / 1e6
        ));
    }
    notices
}
