//! The linear layers of a block that can carry an adapter.

use serde::{Deserialize, Serialize};

use super::{
    ModelConfig,
    architecture::{Architecture, Module, Place, Projection},
    walk,
};

/// One linear layer of a block, or a part of one.
///
/// Llama's names serve GPT-2 as well: there, queries, keys and values are parts of the fused layer
/// `c_attn`, and each part can carry an adapter of its own, which is then preconditioned on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Queries.
    QProj,
    /// Keys.
    KProj,
    /// Values.
    VProj,
    /// Attention's output.
    OProj,
    /// Gate of the feed-forward layer; GPT-2 has none.
    GateProj,
    /// Values of the feed-forward layer.
    UpProj,
    /// Output of the feed-forward layer.
    DownProj,
    /// GPT-2's queries, keys and values as the one layer that they are.
    CAttn,
}

impl Target {
    /// All of them: those of a Llama in the order of its forward pass, then GPT-2's own.
    pub const ALL: [Self; 8] = [
        Self::QProj,
        Self::KProj,
        Self::VProj,
        Self::OProj,
        Self::GateProj,
        Self::UpProj,
        Self::DownProj,
        Self::CAttn,
    ];

    /// Those of a Llama, in the order of its forward pass.
    pub const LLAMA: [Self; 7] = [
        Self::QProj,
        Self::KProj,
        Self::VProj,
        Self::OProj,
        Self::GateProj,
        Self::UpProj,
        Self::DownProj,
    ];

    /// The word for it in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::QProj => "q_proj",
            Self::KProj => "k_proj",
            Self::VProj => "v_proj",
            Self::OProj => "o_proj",
            Self::GateProj => "gate_proj",
            Self::UpProj => "up_proj",
            Self::DownProj => "down_proj",
            Self::CAttn => "c_attn",
        }
    }

    /// The module that it is, or is a part of; `None` where the architecture has no such layer.
    fn of(self, architecture: &Architecture) -> Option<&Module> {
        let mut modules = architecture.modules.iter();
        let whole = modules.find(|module| module.target == Some(self));
        whole.or_else(|| match self {
            Self::QProj | Self::KProj | Self::VProj => {
                architecture.module_at(Place::Linear(Projection::QueriesKeysValues))
            }
            _ => None,
        })
    }

    /// Name of the module inside its block in HF's checkpoints, as in `self_attn.q_proj`; for a part
    /// the name of the whole. `None` where the architecture has no such layer.
    pub fn module(self, architecture: &Architecture) -> Option<&'static str> {
        self.of(architecture).map(|module| module.name.hugging_face)
    }

    /// Which part of a fused layer it is: 0 for queries, 1 for keys, 2 for values; `None` for
    /// everything that is a whole layer.
    pub fn part(self, architecture: &Architecture) -> Option<usize> {
        if self.of(architecture)?.target == Some(self) {
            return None;
        }
        Some(match self {
            Self::KProj => 1,
            Self::VProj => 2,
            _ => 0,
        })
    }

    /// The layer that it is a part of.
    pub fn whole(self, architecture: &Architecture) -> Option<Self> {
        self.part(architecture)?;
        self.of(architecture)?.target
    }

    /// Channels in and out; `None` where the architecture has no such layer.
    pub fn shape(self, config: &ModelConfig) -> Option<(usize, usize)> {
        let module = self.of(config.architecture)?;
        let shape = walk::module_shape(config, module.place);
        let (&outputs, &inputs) = (shape.first()?, shape.get(1)?);
        let outputs = match self.part(config.architecture) {
            None => outputs,
            Some(0) => config.query_width(),
            Some(_) => config.key_width(),
        };
        Some((inputs, outputs))
    }

    /// The random stream of this layer in block `layer`: below 2³², and another one for each layer.
    pub(super) fn stream(self, layer: usize) -> u64 {
        match self {
            // A range of its own: the streams of Llama's seven layers were dealt out first, and a
            // seed keeps its adapters.
            Self::CAttn => 1 << 31 | layer as u64,
            _ => (layer * Self::LLAMA.len() + self as usize) as u64,
        }
    }
}
