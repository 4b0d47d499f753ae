//! A checkpoint's tensors to a base on a device.

use burn::tensor::{Device, Tensor, TensorData};

use super::{Block, Llama, Target};
use crate::load::{Checkpoint, LoadError, Source};

impl Llama {
    /// Reads all weights, one tensor at a time.
    ///
    /// `on_progress` gets bytes read and bytes in all after each tensor; when it returns false,
    /// loading ends.
    ///
    /// # Errors
    /// A tensor that cannot be read, or loading that was ended.
    pub async fn load<S: Source>(
        checkpoint: &Checkpoint<S>,
        device: &Device,
        mut on_progress: impl FnMut(u64, u64) -> bool,
    ) -> Result<Self, LoadError> {
        let config = checkpoint.config().clone();
        let total = checkpoint.tensors().iter().map(|info| info.bytes).sum();
        let mut reader = Reader {
            checkpoint,
            device,
            done: 0,
            total,
            on_progress: &mut on_progress,
        };
        let embedding: Tensor<2> = reader.tensor("model.embed_tokens.weight").await?;
        let mut blocks = Vec::with_capacity(config.num_hidden_layers);
        for layer in 0..config.num_hidden_layers {
            let name = |module: &str| format!("model.layers.{layer}.{module}.weight");
            let mut linears = Vec::with_capacity(Target::ALL.len());
            for target in Target::ALL {
                linears.push(reader.tensor(&name(target.module())).await?);
            }
            blocks.push(Block {
                input_norm: reader.tensor(&name("input_layernorm")).await?,
                post_attention_norm: reader.tensor(&name("post_attention_layernorm")).await?,
                linears: linears
                    .try_into()
                    .map_err(|_| LoadError::new(checkpoint.name(), "a block is incomplete"))?,
            });
        }
        let final_norm = reader.tensor("model.norm.weight").await?;
        let head = if config.tie_word_embeddings {
            embedding.clone()
        } else {
            reader.tensor("lm_head.weight").await?
        };
        Ok(Self {
            config,
            device: device.clone(),
            embedding,
            blocks,
            final_norm,
            head,
        })
    }

    /// Bytes of the weights as they are held.
    pub fn held_bytes(&self) -> usize {
        self.config.parameters() * size_of::<f32>()
    }
}

/// Reads tensors and counts bytes.
struct Reader<'a, S: Source> {
    checkpoint: &'a Checkpoint<S>,
    device: &'a Device,
    done: u64,
    total: u64,
    on_progress: &'a mut dyn FnMut(u64, u64) -> bool,
}

impl<S: Source> Reader<'_, S> {
    async fn tensor<const D: usize>(&mut self, name: &str) -> Result<Tensor<D>, LoadError> {
        let host = self.checkpoint.tensor(name).await?;
        let info = self.checkpoint.tensors().iter();
        self.done += info
            .filter(|info| info.name == name)
            .map(|info| info.bytes)
            .sum::<u64>();
        if !(self.on_progress)(self.done, self.total) {
            return Err(LoadError::new(
                self.checkpoint.name(),
                "loading was cancelled",
            ));
        }
        let data = TensorData::new(host.values, host.shape);
        Ok(Tensor::from_data(data, self.device))
    }
}
