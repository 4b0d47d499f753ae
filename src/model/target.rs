//! The linear layers of a block that can carry an adapter.

use serde::{Deserialize, Serialize};

use super::config::{Architecture, ModelConfig};

/// One linear layer of a block, or a part of one.
///
/// Llama's names serve GPT-2 as well: there, queries, keys and values are parts of the fused layer
/// `c_attn`, and each part can carry an adapter of its own, which is then preconditioned on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
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

    /// Those of a GPT-2; the whole fused layer is the last, as in [`Target::ALL`].
    pub const GPT2: [Self; 7] = [
        Self::QProj,
        Self::KProj,
        Self::VProj,
        Self::OProj,
        Self::UpProj,
        Self::DownProj,
        Self::CAttn,
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

    /// Name of the module inside its block in HF's checkpoints, as in `self_attn.q_proj`; for a part
    /// the name of the whole. `None` where the architecture has no such layer.
    pub fn module(self, architecture: &Architecture) -> Option<&'static str> {
        Some(match (architecture, self) {
            (Architecture::Llama(_), Self::QProj) => "self_attn.q_proj",
            (Architecture::Llama(_), Self::KProj) => "self_attn.k_proj",
            (Architecture::Llama(_), Self::VProj) => "self_attn.v_proj",
            (Architecture::Llama(_), Self::OProj) => "self_attn.o_proj",
            (Architecture::Llama(_), Self::GateProj) => "mlp.gate_proj",
            (Architecture::Llama(_), Self::UpProj) => "mlp.up_proj",
            (Architecture::Llama(_), Self::DownProj) => "mlp.down_proj",
            (Architecture::Gpt2(_), Self::QProj | Self::KProj | Self::VProj | Self::CAttn) => {
                "attn.c_attn"
            }
            (Architecture::Gpt2(_), Self::OProj) => "attn.c_proj",
            (Architecture::Gpt2(_), Self::UpProj) => "mlp.c_fc",
            (Architecture::Gpt2(_), Self::DownProj) => "mlp.c_proj",
            (Architecture::Llama(_), Self::CAttn) | (Architecture::Gpt2(_), Self::GateProj) => {
                return None;
            }
        })
    }

    /// Which third of GPT-2's fused layer it is: 0 for queries, 1 for keys, 2 for values; `None` for
    /// everything that is a whole layer.
    pub fn part(self, architecture: &Architecture) -> Option<usize> {
        match (architecture, self) {
            (Architecture::Gpt2(_), Self::QProj) => Some(0),
            (Architecture::Gpt2(_), Self::KProj) => Some(1),
            (Architecture::Gpt2(_), Self::VProj) => Some(2),
            _ => None,
        }
    }

    /// Channels in and out; `None` where the architecture has no such layer.
    pub fn shape(self, config: &ModelConfig) -> Option<(usize, usize)> {
        let (channels, inner) = (config.hidden_size, config.intermediate_size);
        let (queries, keys) = match &config.architecture {
            Architecture::Llama(llama) => (
                llama.num_attention_heads * llama.head_dim,
                llama.num_key_value_heads * llama.head_dim,
            ),
            Architecture::Gpt2(_) => (channels, channels),
        };
        self.module(&config.architecture)?;
        Some(match self {
            Self::QProj => (channels, queries),
            Self::KProj | Self::VProj => (channels, keys),
            Self::OProj => (queries, channels),
            Self::GateProj | Self::UpProj => (channels, inner),
            Self::DownProj => (inner, channels),
            Self::CAttn => (channels, 3 * channels),
        })
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
