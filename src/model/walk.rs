//! The one walk over a model's weights, from which loading, merging, pretraining and the count of parameters follow.

use super::{
    ModelConfig,
    architecture::{Module, Name, Norm, Place, Projection},
    arrangement::Arrangement,
};

/// A weight that a model has.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// Hugging Face's name.
    pub name: String,
    /// Name in a GGUF file.
    pub gguf_name: String,
    /// Shape as the model holds it: [out, in] of a linear layer, [V, C] of the embedding table, one value a channel of a
    /// norm or a bias.
    pub shape: Vec<usize>,
    /// What it is for.
    pub role: Role,
    /// How the values of a Hugging Face file get there.
    pub hugging_face: Arrangement,
    /// How the values of a GGUF file get there.
    pub gguf: Arrangement,
    /// What is added to the values of a Hugging Face file.
    pub hugging_face_lacks: f32,
}

/// What a weight is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Rows of tokens.
    Embedding,
    /// Rows of learned positions.
    Positions,
    /// Of a module of a block.
    Block(usize, Place, Kind),
    /// Of the norm before the head.
    FinalNorm(Kind),
    /// The output head, where it is not the embedding table.
    Head,
}

/// Which of a module's two tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The factor.
    Weight,
    /// What is added.
    Bias,
}

impl Weight {
    /// Shape in a Hugging Face file.
    pub fn hugging_face_shape(&self) -> Vec<usize> {
        stored_shape(&self.shape, self.hugging_face)
    }

    /// Number of values, in 64 bits: nobody may have checked yet that they fit in memory.
    pub fn elements(&self) -> u64 {
        self.shape.iter().map(|&size| size as u64).product()
    }

    fn new(name: Name, prefixes: [&str; 2], role: Role, shape: Vec<usize>) -> Self {
        let [prefix, gguf_prefix] = prefixes;
        Self {
            name: format!("{prefix}{}.weight", name.hugging_face),
            gguf_name: format!("{gguf_prefix}{}.weight", name.gguf),
            shape,
            role,
            hugging_face: Arrangement::Rows,
            gguf: Arrangement::Rows,
            hugging_face_lacks: 0.0,
        }
    }

    /// The bias beside it: one value a row.
    fn bias(&self, role: Role) -> Self {
        let name = |weight: &str| format!("{}bias", weight.trim_end_matches("weight"));
        Self {
            name: name(&self.name),
            gguf_name: name(&self.gguf_name),
            shape: vec![self.shape[0]],
            role,
            hugging_face: Arrangement::Rows,
            gguf: self.gguf,
            hugging_face_lacks: 0.0,
        }
    }
}

/// The shape of a tensor in a file whose values are arranged so.
pub fn stored_shape(shape: &[usize], arrangement: Arrangement) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if arrangement == Arrangement::Columns {
        shape.reverse();
    }
    shape
}

/// The weights of a model in the order in which a forward pass meets them.
///
/// An iterator, because a lying file may ask for millions of layers: whoever walks through it stops at the first
/// tensor that the file lacks.
pub fn weights(config: &ModelConfig) -> impl Iterator<Item = Weight> + '_ {
    let blocks = (0..config.num_hidden_layers).flat_map(|layer| block(config, layer));
    before_blocks(config)
        .chain(blocks)
        .chain(after_blocks(config))
}

/// Those of tokens and positions.
pub fn before_blocks(config: &ModelConfig) -> impl Iterator<Item = Weight> + use<> {
    let architecture = config.architecture;
    let channels = config.hidden_size;
    let table = |name, role, rows| Weight::new(name, ["", ""], role, vec![rows, channels]);
    let embedding = table(architecture.embedding, Role::Embedding, config.vocab_size);
    let positions = architecture.positions.map(|name| {
        let rows = config.max_position_embeddings;
        table(name, Role::Positions, rows)
    });
    std::iter::once(embedding).chain(positions)
}

/// Those of block `layer`.
pub fn block(config: &ModelConfig, layer: usize) -> Vec<Weight> {
    let architecture = config.architecture;
    let prefix = format!("{}.", architecture.block_name(layer));
    let gguf_prefix = format!("blk.{layer}.");
    let mut weights = Vec::new();
    for module in architecture.modules {
        let role = |kind| Role::Block(layer, module.place, kind);
        let shape = module_shape(config, module.place);
        let names = [prefix.as_str(), gguf_prefix.as_str()];
        let mut weight = Weight::new(module.name, names, role(Kind::Weight), shape);
        weight.hugging_face = match module.place {
            Place::Linear(_) if architecture.stores_columns => Arrangement::Columns,
            _ => Arrangement::Rows,
        };
        weight.gguf = gguf_arrangement(config, module);
        if matches!(module.place, Place::Norm(_)) {
            weight.hugging_face_lacks = lacking(config);
        }
        let bias = module.has_bias.then(|| weight.bias(role(Kind::Bias)));
        weights.push(weight);
        weights.extend(bias);
    }
    weights
}

/// Those of the norm before the head, and of a head of its own.
pub fn after_blocks(config: &ModelConfig) -> impl Iterator<Item = Weight> + use<> {
    let architecture = config.architecture;
    let channels = config.hidden_size;
    let mut norm = Weight::new(
        architecture.final_norm.name,
        ["", ""],
        Role::FinalNorm(Kind::Weight),
        vec![channels],
    );
    norm.hugging_face_lacks = lacking(config);
    let bias = architecture.final_norm.has_bias;
    let bias = bias.then(|| norm.bias(Role::FinalNorm(Kind::Bias)));
    let head = (!config.tie_word_embeddings).then(|| {
        let shape = vec![config.vocab_size, channels];
        Weight::new(architecture.head, ["", ""], Role::Head, shape)
    });
    std::iter::once(norm).chain(bias).chain(head)
}

/// What is added to the weights of norms.
fn lacking(config: &ModelConfig) -> f32 {
    match config.architecture.rms_plus_one {
        true => 1.0,
        false => 0.0,
    }
}

/// How the rows of a module's weight and bias lie in a GGUF file.
pub fn gguf_arrangement(config: &ModelConfig, module: &Module) -> Arrangement {
    match module.place {
        Place::Linear(Projection::Queries | Projection::Keys)
            if config.architecture.gguf_keeps_pairs =>
        {
            Arrangement::Pairs {
                head_dim: config.head_dim,
            }
        }
        Place::Linear(Projection::QueriesKeysValues) if config.architecture.interleaves_heads => {
            Arrangement::Thirds {
                heads: config.num_attention_heads,
                head_dim: config.head_dim,
            }
        }
        _ => Arrangement::Rows,
    }
}

/// The shape of a module's weight: [out, in], or [channels] of a norm.
pub fn module_shape(config: &ModelConfig, place: Place) -> Vec<usize> {
    let (hidden, inner) = (config.hidden_size, config.intermediate_size);
    let (queries, keys) = (config.query_width(), config.key_width());
    let projection = match place {
        Place::Norm(Norm::Queries) if config.architecture.norms_all_heads => return vec![queries],
        Place::Norm(Norm::Keys) if config.architecture.norms_all_heads => return vec![keys],
        Place::Norm(Norm::Queries | Norm::Keys) => return vec![config.head_dim],
        Place::Norm(_) => return vec![hidden],
        Place::Linear(projection) => projection,
    };
    match projection {
        Projection::Queries => vec![queries, hidden],
        Projection::Keys | Projection::Values => vec![keys, hidden],
        Projection::QueriesKeysValues => vec![queries + 2 * keys, hidden],
        Projection::AttentionOutput => vec![hidden, queries],
        Projection::Gate | Projection::Up => vec![inner, hidden],
        Projection::GateUp => vec![2 * inner, hidden],
        Projection::Down => vec![hidden, inner],
    }
}
