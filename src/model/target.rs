//! The linear layers of a block that can carry an adapter.

use serde::{Deserialize, Serialize};

use super::config::ModelConfig;

/// One linear layer of a block.
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
    /// Gate of the feed-forward layer.
    GateProj,
    /// Values of the feed-forward layer.
    UpProj,
    /// Output of the feed-forward layer.
    DownProj,
}

impl Target {
    /// All of them, in the order of a forward pass.
    pub const ALL: [Self; 7] = [
        Self::QProj,
        Self::KProj,
        Self::VProj,
        Self::OProj,
        Self::GateProj,
        Self::UpProj,
        Self::DownProj,
    ];

    /// Name of the module inside its block in HF's checkpoints, as in `self_attn.q_proj`.
    pub fn module(self) -> &'static str {
        match self {
            Self::QProj => "self_attn.q_proj",
            Self::KProj => "self_attn.k_proj",
            Self::VProj => "self_attn.v_proj",
            Self::OProj => "self_attn.o_proj",
            Self::GateProj => "mlp.gate_proj",
            Self::UpProj => "mlp.up_proj",
            Self::DownProj => "mlp.down_proj",
        }
    }

    /// Channels in and out.
    pub fn shape(self, config: &ModelConfig) -> (usize, usize) {
        let queries = config.num_attention_heads * config.head_dim;
        let keys = config.num_key_value_heads * config.head_dim;
        match self {
            Self::QProj => (config.hidden_size, queries),
            Self::KProj | Self::VProj => (config.hidden_size, keys),
            Self::OProj => (queries, config.hidden_size),
            Self::GateProj | Self::UpProj => (config.hidden_size, config.intermediate_size),
            Self::DownProj => (config.intermediate_size, config.hidden_size),
        }
    }
}
