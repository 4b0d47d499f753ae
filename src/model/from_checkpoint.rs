//! A checkpoint's tensors to a base on a device.

use burn::tensor::{Device, Tensor, TensorData};

use super::{
    Affine, Architecture, Base, Body, FrozenWeight, Gpt2, Gpt2Block, Gpt2Config, Llama, LlamaBlock,
    LlamaConfig, Target, WeightForm, norm::LayerNorm,
};
use crate::load::{Checkpoint, LoadError, Source};

impl Base {
    /// Reads all weights, one tensor at a time, into the form that suits this build.
    ///
    /// `on_progress` gets bytes read and bytes in all after each tensor; when it returns false,
    /// loading ends.
    ///
    /// # Errors
    /// A tensor that cannot be read, or loading that was ended.
    pub async fn load<S: Source>(
        checkpoint: &Checkpoint<S>,
        device: &Device,
        on_progress: impl FnMut(u64, u64) -> bool,
    ) -> Result<Self, LoadError> {
        Self::load_as(WeightForm::of_this_build(), checkpoint, device, on_progress).await
    }

    /// As [`Base::load`], with the linear weights and tables in the form that is asked for.
    ///
    /// # Errors
    /// As [`Base::load`].
    pub async fn load_as<S: Source>(
        form: WeightForm,
        checkpoint: &Checkpoint<S>,
        device: &Device,
        mut on_progress: impl FnMut(u64, u64) -> bool,
    ) -> Result<Self, LoadError> {
        let config = checkpoint.config().clone();
        let total = checkpoint.tensors().iter().map(|info| info.bytes).sum();
        let mut reader = Reader {
            form,
            checkpoint,
            device,
            done: 0,
            total,
            on_progress: &mut on_progress,
        };
        let body = match &config.architecture {
            Architecture::Llama(llama) => Body::Llama(reader.llama(llama.clone()).await?),
            Architecture::Gpt2(gpt2) => Body::Gpt2(reader.gpt2(gpt2.clone()).await?),
        };
        let head = if config.tie_word_embeddings {
            match &body {
                Body::Llama(llama) => llama.embedding.clone(),
                Body::Gpt2(gpt2) => gpt2.embedding.clone(),
            }
        } else {
            reader.frozen("lm_head").await?
        };
        Ok(Self {
            config,
            device: device.clone(),
            body,
            head,
        })
    }
}

/// Reads tensors and counts bytes.
struct Reader<'a, S: Source> {
    form: WeightForm,
    checkpoint: &'a Checkpoint<S>,
    device: &'a Device,
    done: u64,
    total: u64,
    on_progress: &'a mut dyn FnMut(u64, u64) -> bool,
}

impl<S: Source> Reader<'_, S> {
    async fn llama(&mut self, config: LlamaConfig) -> Result<Llama, LoadError> {
        let embedding = self.frozen("model.embed_tokens").await?;
        let layers = self.checkpoint.config().num_hidden_layers;
        let mut blocks = Vec::with_capacity(layers);
        for layer in 0..layers {
            let name = |module: &str| format!("model.layers.{layer}.{module}");
            let mut linears = Vec::with_capacity(Target::LLAMA.len());
            for target in Target::LLAMA {
                let module = target.module(&self.checkpoint.config().architecture);
                let module = module.ok_or_else(|| self.incomplete())?;
                linears.push(self.frozen(&name(module)).await?);
            }
            blocks.push(LlamaBlock {
                input_norm: self.weight(&name("input_layernorm")).await?,
                post_attention_norm: self.weight(&name("post_attention_layernorm")).await?,
                linears: linears.try_into().map_err(|_| self.incomplete())?,
            });
        }
        Ok(Llama {
            config,
            embedding,
            blocks,
            final_norm: self.weight("model.norm").await?,
        })
    }

    async fn gpt2(&mut self, config: Gpt2Config) -> Result<Gpt2, LoadError> {
        let embedding = self.frozen("transformer.wte").await?;
        let positions = self.weight("transformer.wpe").await?;
        let layers = self.checkpoint.config().num_hidden_layers;
        let mut blocks = Vec::with_capacity(layers);
        for layer in 0..layers {
            let name = |module: &str| format!("transformer.h.{layer}.{module}");
            blocks.push(Gpt2Block {
                ln_1: self.layer_norm(&name("ln_1")).await?,
                c_attn: self.affine(&name("attn.c_attn")).await?,
                attn_c_proj: self.affine(&name("attn.c_proj")).await?,
                ln_2: self.layer_norm(&name("ln_2")).await?,
                c_fc: self.affine(&name("mlp.c_fc")).await?,
                mlp_c_proj: self.affine(&name("mlp.c_proj")).await?,
            });
        }
        Ok(Gpt2 {
            config,
            embedding,
            positions,
            blocks,
            final_norm: self.layer_norm("transformer.ln_f").await?,
        })
    }

    async fn layer_norm(&mut self, module: &str) -> Result<LayerNorm, LoadError> {
        Ok(LayerNorm {
            weight: self.weight(module).await?,
            bias: self.tensor(&format!("{module}.bias")).await?,
        })
    }

    async fn affine(&mut self, module: &str) -> Result<Affine, LoadError> {
        Ok(Affine {
            weight: self.frozen(module).await?,
            bias: self.tensor(&format!("{module}.bias")).await?,
        })
    }

    async fn weight<const D: usize>(&mut self, module: &str) -> Result<Tensor<D>, LoadError> {
        self.tensor(&format!("{module}.weight")).await
    }

    async fn tensor<const D: usize>(&mut self, name: &str) -> Result<Tensor<D>, LoadError> {
        let host = self.checkpoint.tensor(name).await?;
        self.has_read(name)?;
        let data = TensorData::new(host.values, host.shape);
        Ok(Tensor::from_data(data, self.device))
    }

    async fn frozen(&mut self, module: &str) -> Result<FrozenWeight, LoadError> {
        match self.form {
            WeightForm::Dense => Ok(self.weight::<2>(module).await?.into()),
            WeightForm::Packed => {
                let name = format!("{module}.weight");
                let packed = self.checkpoint.packed(&name).await?;
                self.has_read(&name)?;
                let matrix = packed.and_then(|packed| {
                    crate::kernel::Matrix::new(packed.storage, packed.shape, packed.bytes)
                });
                let matrix = matrix.ok_or_else(|| self.incomplete())?;
                Ok(FrozenWeight::packed(matrix, self.device))
            }
        }
    }

    /// Counts a tensor that was read, and asks whether to go on.
    fn has_read(&mut self, name: &str) -> Result<(), LoadError> {
        self.done += self.checkpoint.info(name).map_or(0, |info| info.bytes);
        match (self.on_progress)(self.done, self.total) {
            true => Ok(()),
            false => Err(LoadError::new(
                self.checkpoint.name(),
                "loading was cancelled",
            )),
        }
    }

    fn incomplete(&self) -> LoadError {
        LoadError::new(self.checkpoint.name(), "a block is incomplete")
    }
}
