//! Text while it is generated.

use super::Tokenizer;

/// After this many tokens without a complete character, what is there is no character.
const LONGEST_WAIT: usize = 16;

/// Decodes tokens one by one.
///
/// A token may end in the middle of a character, and the text of a token may depend on the one before it. So the last
/// tokens are kept and decoded together with the new one; what is new in the result is handed out once it ends with a
/// complete character.
#[derive(Debug, Clone, Default)]
pub struct TextStream {
    skip_special: bool,
    /// Tokens that are still needed: first those whose text was handed out last, then those without text so far.
    ids: Vec<u32>,
    /// How many of `ids` have been handed out.
    shown: usize,
}

impl TextStream {
    /// A stream at the beginning of a text. `skip_special` leaves special tokens out.
    pub fn new(skip_special: bool) -> Self {
        Self {
            skip_special,
            ..Self::default()
        }
    }

    /// The text that the token `id` completes; empty as long as a character is incomplete.
    pub fn push(&mut self, tokenizer: &Tokenizer, id: u32) -> String {
        self.ids.push(id);
        let waiting = self.ids.len() - self.shown;
        self.take(tokenizer, waiting >= LONGEST_WAIT)
    }

    /// The text that is left when no token follows: an incomplete character becomes U+FFFD.
    pub fn finish(&mut self, tokenizer: &Tokenizer) -> String {
        self.take(tokenizer, true)
    }

    fn take(&mut self, tokenizer: &Tokenizer, even_incomplete: bool) -> String {
        let text = tokenizer.decode(&self.ids, self.skip_special);
        if text.ends_with(char::REPLACEMENT_CHARACTER) && !even_incomplete {
            return String::new();
        }
        let before = tokenizer.decode(&self.ids[..self.shown], self.skip_special);
        let Some(new) = text.strip_prefix(&before).filter(|new| !new.is_empty()) else {
            return String::new();
        };
        self.ids.drain(..self.shown);
        self.shown = self.ids.len();
        new.to_owned()
    }
}
