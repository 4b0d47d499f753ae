//! What a page may ask a model to draw, and who draws.

use serde::{Deserialize, Serialize};

use super::{
    model::DiffusionModel,
    sample::{DenoisingSettings, Sampler},
    words::Words,
};
use crate::model::Adapters;

/// Most pictures of one run at once.
pub const MOST_PICTURES: usize = 64;
/// Most steps from noise to picture.
pub const MOST_STEPS: u32 = 200;
/// Strongest guidance; far below it pictures are only noise of full colours.
pub const MOST_GUIDANCE: f64 = 100.0;

/// What to draw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct DrawSettings {
    /// One picture each; picture i always begins with the same noise.
    pub captions: Vec<String>,
    /// Steps from noise to picture.
    pub steps: u32,
    /// How far the captions are followed; 1 is as they were learned.
    pub guidance: f64,
    /// Seed of the noise.
    pub seed: u32,
    /// Indices of the runs that draw.
    pub runs: Vec<u32>,
    /// Whether the base draws too.
    pub include_base: bool,
}

/// Why nothing can be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct DrawError {
    /// Name of the setting.
    pub field: &'static str,
    /// Cause and way out.
    pub problem: String,
}

fn refused(field: &'static str, problem: impl Into<String>) -> DrawError {
    DrawError {
        field,
        problem: problem.into(),
    }
}

/// Checked settings, with the adapters of those who draw.
#[derive(Debug)]
pub struct Drawing {
    /// Index of the run of each lane; the base is `None` and comes first.
    pub lanes: Vec<Option<u32>>,
    adapters: Option<Adapters>,
    ids: Vec<i32>,
    settings: DenoisingSettings,
}

impl Drawing {
    /// Who is to draw what. `adapters` and `diverged_at` are those of the session, where there is one; runs that have
    /// diverged do not draw.
    ///
    /// # Errors
    /// The first setting out of range, with its range.
    pub fn new(
        settings: &DrawSettings,
        (words, caption_length): (&Words, usize),
        adapters: Option<&Adapters>,
        diverged_at: &[Option<u32>],
    ) -> Result<Self, DrawError> {
        let DrawSettings {
            captions,
            steps,
            guidance,
            ..
        } = settings;
        if captions.is_empty() || captions.len() > MOST_PICTURES {
            let problem = format!("are {}; give between 1 and {MOST_PICTURES}", captions.len());
            return Err(refused("captions", problem));
        }
        if *steps == 0 || *steps > MOST_STEPS {
            let problem = format!("is {steps}; it must be between 1 and {MOST_STEPS}");
            return Err(refused("steps", problem));
        }
        if !(0.0..=MOST_GUIDANCE).contains(guidance) {
            let problem = format!("is {guidance}; it must be between 0 and {MOST_GUIDANCE}");
            return Err(refused("guidance", problem));
        }
        let there = adapters.map_or(0, |adapters| adapters.runs);
        if let Some(other) = settings.runs.iter().find(|run| **run as usize >= there) {
            let problem = format!("have no run {other}; there are {there}, start a training first");
            return Err(refused("runs", problem));
        }
        let drawing = settings.runs.iter().filter(|run| {
            let diverged = diverged_at.get(**run as usize);
            diverged.is_none_or(Option::is_none)
        });
        let runs: Vec<u32> = drawing.copied().collect();
        let chosen = adapters.filter(|_| !runs.is_empty()).map(|adapters| {
            let chosen: Vec<usize> = runs.iter().map(|run| *run as usize).collect();
            adapters.chosen(&chosen, settings.include_base)
        });
        let base = settings.include_base.then_some(None);
        Ok(Self {
            lanes: base.into_iter().chain(runs.into_iter().map(Some)).collect(),
            adapters: chosen,
            ids: captions
                .iter()
                .flat_map(|caption| words.encode(caption, caption_length))
                .collect(),
            settings: DenoisingSettings {
                steps: *steps,
                guidance: *guidance,
                seed: u64::from(settings.seed),
            },
        })
    }

    /// Noise for all lanes, the same for each.
    pub fn sampler<'a>(&'a self, model: &'a DiffusionModel) -> Sampler<'a> {
        Sampler::new(model, self.adapters.as_ref(), &self.ids, self.settings)
    }
}
