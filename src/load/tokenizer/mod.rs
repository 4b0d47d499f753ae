//! Text to token ids and back.

mod byte_pair;
mod charsmap;
mod chat;
mod encoded;
mod gguf;
mod json;
mod pieces;
mod python_json;
mod splits;
mod stream;
mod template_date;
mod template_growth;
mod template_limits;
mod template_tags;

pub use chat::ChatMessage;
pub use encoded::Encoded;
pub use json::TokenizerExtras;
pub use stream::TextStream;

use std::collections::HashSet;

use serde_json::Value;

use super::error::LoadError;

/// A model's tokenizer, with its special tokens and its chat template.
#[derive(Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// The same, to which a control token that is written out is plain text; made when it is first needed.
    literal: encoded::Literal,
    /// Ids of control tokens.
    control: HashSet<u32>,
    /// The file it came from; errors begin with it.
    file: String,
    special: SpecialTokens,
    /// What the user should know of how the files were read.
    notices: Vec<String>,
    /// Ids that are not below this have no row in the model's embedding table.
    id_limit: usize,
    vocab_size: usize,
}

/// What a model's files say about tokens with a meaning, and about chats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct SpecialTokens {
    /// Begins a text.
    bos: Option<u32>,
    /// Whether the model was trained on texts that begin with it.
    starts_with_bos: bool,
    /// Each of them ends a text or a turn; the first one is the tokenizer's own.
    eos: Vec<u32>,
    /// Fills up batches.
    pad: Option<u32>,
    /// Jinja source.
    chat_template: Option<String>,
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tokenizer")
            .field("file", &self.file)
            .field("vocab_size", &self.vocab_size)
            .field("special", &self.special)
            .finish_non_exhaustive()
    }
}

impl Tokenizer {
    /// A tokenizer with the parts that both formats have.
    fn new(
        file: &str,
        mut inner: tokenizers::Tokenizer,
        special: SpecialTokens,
    ) -> Result<Self, LoadError> {
        // A browser's module has one thread.
        tokenizers::utils::parallelism::set_parallelism(false);
        // Batches are cut and filled up elsewhere; a limit from the file would drop text silently.
        inner.with_padding(None);
        inner
            .with_truncation(None)
            .map_err(|error| LoadError::new(file, error.to_string()))?;
        let highest = inner.get_vocab(true).into_values().max();
        let vocab_size = highest.map_or(0, |id| id as usize + 1);
        let added = inner.get_added_tokens_decoder().into_iter();
        let control = added.filter(|(_, token)| token.special);
        let template = special.chat_template.as_deref();
        let is_dated = template.is_some_and(template_date::is_written_by);
        Ok(Self {
            control: control.map(|(id, _)| id).collect(),
            literal: encoded::Literal::default(),
            inner,
            file: file.to_owned(),
            special,
            notices: is_dated
                .then(|| template_date::NOTICE.to_owned())
                .into_iter()
                .collect(),
            id_limit: usize::MAX,
            vocab_size,
        })
    }

    /// Refuses to encode to ids of `rows` and above: the model has no embedding for them.
    pub(crate) fn limit_to(&mut self, rows: usize) {
        self.id_limit = rows;
        let has_row = |id: &u32| (*id as usize) < rows;
        self.special.bos = self.special.bos.filter(has_row);
        self.special.pad = self.special.pad.filter(has_row);
        self.special.eos.retain(has_row);
    }

    /// Token ids of `text`.
    ///
    /// Special tokens written out in the text, as chat templates do, become one id each. Nothing is added: a text
    /// that should begin with [`Self::bos_id`] gets it from the caller. Bytes that a byte-level vocabulary lacks are left
    /// out, as in transformers; SmolLM2 lacks some control characters.
    ///
    /// # Errors
    /// A text that the tokenizer cannot express, or that contains a token without a row in the embedding table.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, LoadError> {
        let encoding = self
            .inner
            .encode_fast(text, false)
            .map_err(|error| LoadError::new(&self.file, error.to_string()))?;
        let ids = encoding.get_ids().to_vec();
        self.check(&ids)?;
        Ok(ids)
    }

    /// Whether the model has an embedding for each of `ids`.
    fn check(&self, ids: &[u32]) -> Result<(), LoadError> {
        match ids.iter().find(|&&id| id as usize >= self.id_limit) {
            None => Ok(()),
            Some(&id) => {
                let token = self.token(id).unwrap_or_default();
                let rows = self.id_limit;
                Err(LoadError::new(
                    &self.file,
                    format!("token {token} has id {id}, but the model knows only {rows} tokens"),
                ))
            }
        }
    }

    /// The text of `ids`. Ids without a token are left out, incomplete characters become U+FFFD.
    ///
    /// `skip_special` leaves special tokens out.
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> String {
        // None of the decoders that text models use can fail.
        self.inner.decode(ids, skip_special).unwrap_or_default()
    }

    /// The token `id` as the vocabulary writes it, such as `Ġthe`.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// The id of `token` as the vocabulary writes it.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The tokens that end a text or a turn. The first one is the tokenizer's own, which ends a training text.
    pub fn eos_ids(&self) -> &[u32] {
        &self.special.eos
    }

    /// The token that begins a text.
    pub fn bos_id(&self) -> Option<u32> {
        self.special.bos
    }

    /// Whether the model was trained on texts that begin with [`Self::bos_id`]. Chat templates write it themselves.
    pub fn starts_with_bos(&self) -> bool {
        self.special.starts_with_bos && self.special.bos.is_some()
    }

    /// What the user should know of how the files were read, a sentence each.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The token that fills up batches.
    pub fn pad_id(&self) -> Option<u32> {
        self.special.pad
    }

    /// The highest id plus one. The embedding table may have more rows.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// The Jinja source of the chat template.
    pub fn chat_template(&self) -> Option<&str> {
        self.special.chat_template.as_deref()
    }

    /// The text of a conversation in the model's chat format.
    ///
    /// `tools` are the functions that the model may call, as transformers hands them to a template.
    /// `add_generation_prompt` ends it with the beginning of the assistant's answer.
    ///
    /// # Errors
    /// A tokenizer without a template, a template that is malformed, or one that refuses the conversation.
    pub fn render_chat(
        &self,
        messages: &[ChatMessage],
        tools: Option<&Value>,
        add_generation_prompt: bool,
    ) -> Result<String, LoadError> {
        let Some(template) = self.chat_template() else {
            return Err(LoadError::new(&self.file, "the model has no chat template"));
        };
        let text_of = |id: Option<u32>| id.and_then(|id| self.token(id));
        let context = chat::Context {
            messages,
            tools,
            add_generation_prompt,
            bos_token: text_of(self.bos_id()),
            eos_token: text_of(self.eos_ids().first().copied()),
            pad_token: text_of(self.pad_id()),
        };
        chat::render(template, &context)
            .map_err(|error| LoadError::new(&self.file, format!("chat template: {error}")))
    }

    /// What the chat template says first in a conversation that has no system message, as Qwen2.5's and SmolLM2's do:
    /// the user does not write it, and the model is trained on it.
    ///
    /// It is what stands before the first turn and not before a later one of the same speaker.
    pub fn unwritten_opening(&self) -> Option<String> {
        let [first, answer, second] = ["the-first-turn", "the-answer", "the-second-turn"];
        let turns = [("user", first), ("assistant", answer), ("user", second)];
        let messages = turns.map(|(role, content)| ChatMessage::new(role, content));
        let text = self.render_chat(&messages, None, false).ok()?;
        let (before, rest) = text.split_once(first)?;
        let (_, rest) = rest.split_once(answer)?;
        let (between, _) = rest.split_once(second)?;
        // What ends a turn may be the end of the unwritten message too.
        let answered = self.render_chat(&messages[..2], None, false).ok()?;
        let (_, end_of_turn) = answered.split_once(answer)?;
        let between = between.strip_prefix(end_of_turn).unwrap_or(between);
        let start_of_turn = before
            .chars()
            .rev()
            .zip(between.chars().rev())
            .take_while(|(one, other)| one == other);
        let length: usize = start_of_turn.map(|(letter, _)| letter.len_utf8()).sum();
        let opening = &before[..before.len() - length];
        let bos = self.bos_id().and_then(|id| self.token(id));
        let opening = opening
            .strip_prefix(bos.as_deref().unwrap_or(""))
            .unwrap_or(opening);
        let opening = opening.trim();
        (!opening.is_empty()).then(|| opening.to_owned())
    }
}
