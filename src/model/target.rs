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
    /// As [`Target::CAttn`], of Phi-3.
    QkvProj,
    /// Phi-3's gate and values of the feed-forward layer as the one layer that they are.
    GateUpProj,
    /// As [`Target::CAttn`], of GPT-NeoX.
    QueryKeyValue,
    /// Attention's output of GPT-NeoX.
    Dense,
    /// Values of the feed-forward layer of GPT-NeoX.
    #[serde(rename = "dense_h_to_4h")]
    DenseHTo4h,
    /// Output of the feed-forward layer of GPT-NeoX.
    #[serde(rename = "dense_4h_to_h")]
    Dense4hToH,
}

impl Target {
    /// All of them: those of a Llama in the order of its forward pass, then those that only others have.
    pub const ALL: [Self; 14] = [
        Self::QProj,
        Self::KProj,
        Self::VProj,
        Self::OProj,
        Self::GateProj,
        Self::UpProj,
        Self::DownProj,
        Self::CAttn,
        Self::QkvProj,
        Self::GateUpProj,
        Self::QueryKeyValue,
        Self::Dense,
        Self::DenseHTo4h,
        Self::Dense4hToH,
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
            Self::QkvProj => "qkv_proj",
            Self::GateUpProj => "gate_up_proj",
            Self::QueryKeyValue => "query_key_value",
            Self::Dense => "dense",
            Self::DenseHTo4h => "dense_h_to_4h",
            Self::Dense4hToH => "dense_4h_to_h",
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
            Self::GateProj | Self::UpProj => {
                architecture.module_at(Place::Linear(Projection::GateUp))
            }
            _ => None,
        })
    }

    /// Name of the module inside its block in HF's checkpoints, as in `self_attn.q_proj`; for a part
    /// the name of the whole. `None` where the architecture has no such layer.
    pub fn module(self, architecture: &Architecture) -> Option<&'static str> {
        self.of(architecture).map(|module| module.name.hugging_face)
    }

    /// Which part of a fused layer it is: 0 for queries, 1 for keys, 2 for values, or 0 for the gate and 1 for values of the
    /// feed-forward layer; `None` for everything that is a whole layer.
    pub fn part(self, architecture: &Architecture) -> Option<usize> {
        if self.of(architecture)?.target == Some(self) {
            return None;
        }
        Some(match self {
            Self::KProj | Self::UpProj => 1,
            Self::VProj => 2,
            _ => 0,
        })
    }

    /// The rows of the whole layer's output that are this part's, in its order; `None` for what is no part.
    pub fn rows(self, config: &ModelConfig) -> Option<Vec<usize>> {
        let module = self.of(config.architecture)?;
        self.part(config.architecture)?;
        let (queries, keys) = (config.query_width(), config.key_width());
        let inner = config.intermediate_size;
        let rows = match self {
            Self::QProj => 0..queries,
            Self::KProj => queries..queries + keys,
            Self::VProj => queries + keys..queries + 2 * keys,
            Self::GateProj => 0..inner,
            _ => inner..2 * inner,
        };
        // Parts one after another are how GGUF files have them.
        let arrangement = walk::gguf_arrangement(config, module);
        Some(rows.map(|row| arrangement.row(row)).collect())
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
        let outputs = match (self.part(config.architecture), self) {
            (None, _) => outputs,
            (_, Self::QProj) => config.query_width(),
            (_, Self::KProj | Self::VProj) => config.key_width(),
            (_, _) => config.intermediate_size,
        };
        Some((inputs, outputs))
    }

    /// The random stream of this layer in block `layer`: below 2³², and another one for each layer.
    pub(super) fn stream(self, layer: usize) -> u64 {
        match self {
            // Ranges of their own, of 2²¹ layers each: the streams of Llama's seven layers were dealt out first, and
            // a seed keeps its adapters.
            own if own >= Self::CAttn => {
                1 << 31 | (own as u64 - Self::CAttn as u64) << 21 | layer as u64
            }
            _ => (layer * Self::LLAMA.len() + self as usize) as u64,
        }
    }
}
