//! Tokens with their places, and text that people wrote apart from what a template writes.

use std::ops::Range;
use std::sync::OnceLock;

use tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::metaspace::PrependScheme;

use super::Tokenizer;
use crate::load::error::LoadError;

/// Tokens of a text, and where they stand in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded {
    /// Token ids, [T].
    pub ids: Vec<u32>,
    /// The bytes of the text that each token stands for, [T]; rising, and the same for all bytes of one letter.
    pub places: Vec<Range<usize>>,
    /// The first control token that somebody wrote out, and that became plain text.
    pub control_in_text: Option<String>,
}

/// Copies of a tokenizer that take control tokens as text: for the beginning of a text, and for what comes after a control
/// token.
pub(super) type Literal = [OnceLock<Box<tokenizers::Tokenizer>>; 2];

impl Tokenizer {
    /// Tokens of `text`, in which people wrote the bytes of `written`, in rising order.
    ///
    /// A control token (`<|im_end|>`) that stands outside of `written` becomes one token. One inside is text like any other:
    /// nobody ends a turn by writing about the token that ends it. Nothing is added at either end.
    ///
    /// # Errors
    /// A text that the tokenizer cannot express, or that contains a token without a row in the embedding table.
    pub fn encode_written(
        &self,
        text: &str,
        written: &[Range<usize>],
    ) -> Result<Encoded, LoadError> {
        let mut all = Encoded::default();
        self.append(&mut all, &self.inner, text, 0)?;
        let is_written = |place: &Range<usize>| {
            let next = written.partition_point(|range| range.end <= place.start);
            written
                .get(next)
                .is_some_and(|range| range.start < place.end)
        };
        let control = |token: usize| self.control.contains(&all.ids[token]);
        let found =
            (0..all.ids.len()).find(|&token| control(token) && is_written(&all.places[token]));
        let Some(found) = found else {
            self.check(&all.ids)?;
            return Ok(all);
        };

        // What lies between two real control tokens is tokenised apart from the rest, by the library as here.
        let mut result = Encoded {
            control_in_text: self.token(all.ids[found]),
            ..Encoded::default()
        };
        let mut from = 0;
        for token in 0..all.ids.len() {
            if !control(token) || is_written(&all.places[token]) {
                continue;
            }
            let place = all.places[token].clone();
            self.append_literal(&mut result, &text[from..place.start], from)?;
            from = place.end;
            result.ids.push(all.ids[token]);
            result.places.push(place);
        }
        self.append_literal(&mut result, &text[from..], from)?;
        self.check(&result.ids)?;
        Ok(result)
    }

    fn append_literal(&self, to: &mut Encoded, text: &str, from: usize) -> Result<(), LoadError> {
        if text.is_empty() {
            return Ok(());
        }
        let literal = self.literal[usize::from(from > 0)].get_or_init(|| {
            let mut literal = self.inner.clone();
            literal.set_encode_special_tokens(true);
            // A space that only begins a text does not stand behind a control token.
            if from > 0
                && let Some(PreTokenizerWrapper::Metaspace(space)) = literal.get_pre_tokenizer()
                && space.get_prepend_scheme() == PrependScheme::First
            {
                let mut space = space.clone();
                space.set_prepend_scheme(PrependScheme::Never);
                literal.with_pre_tokenizer(Some(space));
            }
            Box::new(literal)
        });
        self.append(to, literal, text, from)
    }

    /// Adds the tokens of `text`, which begins at byte `from`.
    fn append(
        &self,
        to: &mut Encoded,
        tokenizer: &tokenizers::Tokenizer,
        text: &str,
        from: usize,
    ) -> Result<(), LoadError> {
        let encoding = tokenizer
            .encode(text, false)
            .map_err(|error| LoadError::new(&self.file, error.to_string()))?;
        to.ids.extend_from_slice(encoding.get_ids());
        let places = encoding.get_offsets().iter();
        to.places
            .extend(places.map(|&(start, end)| from + start..from + end));
        Ok(())
    }
}
