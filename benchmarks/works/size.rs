//! The shapes of all works, which JavaScript reads too.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// `sizes.json`: settings that all works share, and a table of shapes by size for each work.
#[derive(Debug, Deserialize)]
pub struct Sizes {
    /// Rank of the adapters.
    pub rank: usize,
    /// ΔW is `alpha / rank · B · A`.
    pub alpha: f64,
    /// Learning rate of AdamW, whose weight decay is 0: not every peer has one.
    pub lr: f64,
    /// AdamW's.
    pub betas: [f64; 2],
    /// AdamW's.
    pub eps: f64,
    #[serde(flatten)]
    works: HashMap<String, HashMap<String, serde_json::Value>>,
}

impl Sizes {
    /// What the file says.
    ///
    /// # Panics
    /// If it is not what this program reads.
    pub fn read() -> Self {
        serde_json::from_str(include_str!("sizes.json")).expect("sizes.json")
    }

    /// The shape of `work` at `size`; `None` where there is none of the name.
    pub fn shape<S: DeserializeOwned>(&self, work: &str, size: &str) -> Option<S> {
        let shape = self.works.get(work)?.get(size)?;
        serde_json::from_value(shape.clone()).ok()
    }
}
