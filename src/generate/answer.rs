//! Tokens of one lane as text.

use super::stop::UntilStop;
use crate::load::{TextStream, Tokenizer};

/// What one lane writes: tokens in, text out, up to a stop string.
#[derive(Debug, Clone)]
pub struct Answer {
    stream: TextStream,
    until: UntilStop,
}

impl Answer {
    /// An answer that ends at the first of `stops`.
    pub fn new(stops: &[String]) -> Self {
        Self {
            stream: TextStream::new(true),
            until: UntilStop::new(stops),
        }
    }

    /// The text that is certain after the token `id`.
    pub fn push(&mut self, tokenizer: &Tokenizer, id: u32) -> String {
        self.until.push(&self.stream.push(tokenizer, id))
    }

    /// The text that is left when no token follows.
    pub fn finish(&mut self, tokenizer: &Tokenizer) -> String {
        let text = self.until.push(&self.stream.finish(tokenizer));
        text + &self.until.finish()
    }

    /// Whether a stop string ended it.
    pub fn has_stopped(&self) -> bool {
        self.until.has_stopped()
    }
}
