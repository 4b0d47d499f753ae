//! Writing text with every run at once, token by token, with a key-value cache.

mod answer;
mod choose;
mod settings;
mod stop;

pub use answer::Answer;
pub use choose::choose;
pub use settings::SampleSettings;
pub use stop::UntilStop;

use burn::tensor::{Int, Tensor, TensorData};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::engine::EngineError;
use crate::model::{Adapters, Base, Cache, Context};
use crate::optim::SettingError;

/// Why nothing can be written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GenerateError {
    /// A prompt of no tokens.
    #[error("the prompt is empty; write at least one word")]
    EmptyPrompt,
    /// A prompt that fills the context.
    #[error(
        "the prompt has {tokens} tokens, and the model reads {limit} with its answer; shorten it"
    )]
    PromptTooLong {
        /// Its length.
        tokens: usize,
        /// The model's context.
        limit: usize,
    },
    /// A setting out of range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A device that failed.
    #[error(transparent)]
    Device(#[from] EngineError),
}

/// Lanes that answer one prompt side by side: runs, and the base as the last one if asked for.
#[derive(Debug)]
pub struct Generator {
    adapters: Option<Adapters>,
    cache: Cache,
    settings: SampleSettings,
    end: Vec<u32>,
    lanes: Vec<Lane>,
    /// What each lane reads next: the prompt, and then its own last token. [lanes, T]
    pending: Vec<i32>,
    left: usize,
    /// Ids from here on are never written.
    tokens: usize,
}

#[derive(Debug)]
struct Lane {
    random: ChaCha8Rng,
    done: bool,
}

impl Generator {
    /// Reads nothing yet. `end` are the tokens after which a lane is done; without `adapters` the
    /// base alone answers.
    ///
    /// # Errors
    /// A prompt that is empty or too long, or a setting out of range.
    pub fn new(
        model: &Base,
        adapters: Option<&Adapters>,
        prompt: &[u32],
        end: &[u32],
        settings: SampleSettings,
    ) -> Result<Self, GenerateError> {
        settings.validate()?;
        let limit = model.config.max_position_embeddings;
        if prompt.is_empty() {
            return Err(GenerateError::EmptyPrompt);
        }
        if prompt.len() >= limit {
            return Err(GenerateError::PromptTooLong {
                tokens: prompt.len(),
                limit,
            });
        }
        let adapters = adapters.map(|adapters| match settings.include_base {
            true => adapters.with_base(),
            false => adapters.clone(),
        });
        let lanes = adapters.as_ref().map_or(1, |adapters| adapters.runs);
        Ok(Self {
            cache: Cache::new(model.config.num_hidden_layers),
            left: (settings.max_tokens as usize).min(limit - prompt.len()),
            pending: (0..lanes)
                .flat_map(|_| prompt.iter().map(|&id| id as i32))
                .collect(),
            lanes: (0..lanes)
                .map(|_| Lane {
                    // The same draws for every lane: what differs is what the runs learned.
                    random: ChaCha8Rng::seed_from_u64(u64::from(settings.seed)),
                    done: false,
                })
                .collect(),
            end: end.to_vec(),
            tokens: model.config.vocab_size,
            adapters,
            settings,
        })
    }

    /// Never writes ids of `tokens` and above: embedding tables may have more rows than the tokenizer has tokens, and
    /// what a model writes with them is noise that stands for no text.
    pub fn limited_to(mut self, tokens: usize) -> Self {
        self.tokens = tokens.min(self.tokens);
        self
    }

    /// Number of lanes.
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Whether `lane` has written its last token.
    pub fn is_done(&self, lane: usize) -> bool {
        self.left == 0 || self.lanes.get(lane).is_none_or(|lane| lane.done)
    }

    /// Lets `lane` write no more.
    pub fn end(&mut self, lane: usize) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.done = true;
        }
    }

    /// The next token of every lane, `None` for lanes that are done; `None` when all are.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn next(&mut self, model: &Base) -> Result<Option<Vec<Option<u32>>>, GenerateError> {
        if self.left == 0 || self.lanes.iter().all(|lane| lane.done) {
            return Ok(None);
        }
        self.left -= 1;
        let lanes = self.lanes.len();
        let tokens = self.pending.len() / lanes;
        let ids = TensorData::new(std::mem::take(&mut self.pending), [lanes, tokens]);
        let context = Context {
            adapters: self.adapters.as_ref(),
            cache: Some(&mut self.cache),
            ..Context::default()
        };
        let hidden = model.forward(Tensor::<2, Int>::from_data(ids, &model.device), context);
        let channels = model.config.hidden_size;
        let last = hidden
            .reshape([lanes, tokens, channels])
            .narrow(1, tokens - 1, 1)
            .reshape([lanes, channels]);
        let logits = model.logits(model.normalise(last)); // [lanes, V]
        let logits = logits.into_data_async().await.map_err(EngineError::from)?;
        let logits: Vec<f32> = logits.iter().collect();

        let mut written = Vec::with_capacity(lanes);
        for (lane, logits) in self
            .lanes
            .iter_mut()
            .zip(logits.chunks(model.config.vocab_size))
        {
            let token = match lane.done {
                true => None,
                false => choose(&logits[..self.tokens], &self.settings, &mut lane.random),
            };
            let token = token.filter(|id| !self.end.contains(id));
            lane.done = token.is_none();
            // A lane that is done reads anything: nobody looks at what it would write.
            self.pending.push(token.unwrap_or(0) as i32);
            written.push(token);
        }
        Ok(Some(written))
    }
}
