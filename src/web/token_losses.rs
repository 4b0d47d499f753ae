//! Losses token by token, for a worker.

use wasm_bindgen::prelude::*;

use super::{
    WebSession, check_engine,
    conversion::{failure, from_js, plain_failure, to_js},
};
use crate::data::TextCodec;
use crate::messages::{LaneLosses, TokenLossReport, TokenLossSettings};
use crate::model::Adapters;
use crate::train::token_losses::token_losses;

/// Most tokens of a text: attention's memory grows with their square.
const MOST_TOKENS: usize = 512;

#[wasm_bindgen]
impl WebSession {
    /// How well the base and each run predict every token of a text or of a held-out example.
    ///
    /// # Errors
    /// A text without two tokens, no held-out example, or a device that failed.
    pub async fn token_losses(&self, settings: JsValue) -> Result<JsValue, JsValue> {
        let settings: TokenLossSettings = from_js("losses", settings)?;
        let (mut ids, mut counts) = self.text_of(&settings)?;
        let most = MOST_TOKENS.min(self.desk.model.config.max_position_embeddings);
        let left_out = ids.len().saturating_sub(most);
        ids.truncate(most);
        counts.truncate(most);
        if ids.len() < 2 {
            return Err(plain_failure(
                "losses",
                "a loss needs a token and one before it; write a few words",
            ));
        }
        let training = self.desk.training.as_ref();
        let trained = training.map(|training| training.session.trained_runs());
        let runs = trained
            .as_ref()
            .map_or(&[] as &[u32], |trained| &trained.runs);
        let adapters = trained.as_ref().and_then(|t| t.adapters.as_ref());
        let adapters = match settings.include_base {
            true => adapters.map(Adapters::with_base),
            false => adapters.cloned(),
        };
        // Without a training it is the base whose losses are wanted, whatever the settings say.
        let lanes = match adapters.is_none() && trained.is_some() && !settings.include_base {
            true => Vec::new(),
            false => token_losses(&self.desk.model, adapters.as_ref(), &ids)
                .await
                .map_err(failure)?,
        };
        check_engine()?;
        let lanes = lanes
            .into_iter()
            .enumerate()
            .map(|(lane, losses)| LaneLosses {
                run: runs.get(lane).copied(),
                losses: std::iter::once(None)
                    .chain(losses.into_iter().map(finite))
                    .collect(),
            })
            .collect();
        to_js(&TokenLossReport {
            tokens: self.pieces(&ids, &counts),
            left_out: left_out as u32,
            lanes,
        })
    }

    /// Tokens, and which of them count in training.
    fn text_of(&self, settings: &TokenLossSettings) -> Result<(Vec<u32>, Vec<bool>), JsValue> {
        let wrong = |message: &str| plain_failure("losses", message);
        if let Some(text) = &settings.text {
            let text = self.tokenizer.without_begin(text);
            let mut ids = Vec::from_iter(self.tokenizer.begin_of_text());
            let encoded = TextCodec::encode(
                &self.tokenizer,
                text,
                std::slice::from_ref(&(0..text.len())),
            );
            ids.extend(encoded.map_err(|error| wrong(&error.to_string()))?.ids);
            let counts = (0..ids.len()).map(|token| token > 0).collect();
            return Ok((ids, counts));
        }
        let held_out = self.data.as_ref().map(|data| data.dataset.validation());
        match held_out {
            Some(examples) if !examples.is_empty() => {
                let example = &examples[settings.example as usize % examples.len()];
                Ok((example.ids.clone(), example.counts.clone()))
            }
            _ => Err(wrong(
                "no example is held out; write a text, or read data with validation examples",
            )),
        }
    }
}

fn finite(loss: f32) -> Option<f64> {
    loss.is_finite().then_some(f64::from(loss))
}
