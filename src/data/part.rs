//! The records of one file on their way to examples.

use std::collections::HashMap;
use std::vec;

use super::codec::TextCodec;
use super::conversation::Conversation;
use super::decode::decode;
use super::detect::{Detected, detect};
use super::encode::{EncodedRow, PairForm, encode_chat, encode_pair};
use super::error::DataError;
use super::example::Example;
use super::pack::Packer;
use super::prompt::PromptStyle;
use super::read::{ReadOptions, Record, RecordAtLine, pieces::next_place, read};
use super::row_size;
use super::settings::DataSettings;
use super::skipped::{RowError, SkipReason, SkippedRows};
use super::statistics::DatasetStatistics;
use crate::load::source::{IS_LFS_POINTER, LFS_POINTER};

/// How much of the piece before is tokenised once more with a piece.
const BYTES_BEFORE: usize = 1 << 10;

/// A file, partly tokenised.
pub(super) struct Part {
    /// File name as the user knows it.
    pub file: String,
    /// How the file was read.
    pub detected: Detected,
    /// What is made of it so far.
    pub examples: Vec<Example>,
    /// A number for the prompt of each example, the same for the same prompt; every window of text has its own.
    pub prompts: Vec<u32>,
    /// Tokens of the shortest prompt that left no room for its completion.
    pub shortest_too_long: Option<usize>,
    /// Rows that nothing is learned from.
    pub skipped: SkippedRows,
    /// Tokens of every example before cutting, of those too that were left out.
    pub lengths: Vec<usize>,
    /// What the chat template writes before a first message without being told to.
    pub added_by_template: Option<String>,
    records: vec::IntoIter<RecordAtLine>,
    total: usize,
    packer: Option<Packer>,
    template_looked_at: bool,
    /// The end of the piece before, in the same document.
    before: String,
    known_prompts: HashMap<String, u32>,
    next_prompt: u32,
}

impl Part {
    /// Reads the records; nothing is tokenised yet.
    pub(super) fn new(
        file: &str,
        bytes: Vec<u8>,
        settings: &DataSettings,
    ) -> Result<Self, DataError> {
        if bytes.starts_with(LFS_POINTER) {
            return Err(DataError::in_file(file, IS_LFS_POINTER));
        }
        let (text, encoding) = decode(file, bytes, settings.encoding)?;
        let (format, reason) = match settings.format {
            Some(format) => (format, "chosen".to_owned()),
            None => detect(file, &text),
        };
        let options = ReadOptions {
            format,
            columns: settings.columns.clone(),
            documents: settings.documents,
            roles: settings.roles.clone(),
            maximum: maximum(settings),
        };
        let read = read(file, &text, &options)?;
        Ok(Self {
            file: file.to_owned(),
            detected: Detected {
                format,
                reason,
                encoding,
                separator: read.separator,
                arranged: read.arranged,
                columns: read.columns,
            },
            examples: Vec::new(),
            prompts: Vec::new(),
            shortest_too_long: None,
            skipped: read.skipped,
            lengths: Vec::new(),
            added_by_template: None,
            total: read.records.len(),
            records: read.records.into_iter(),
            packer: None,
            template_looked_at: false,
            before: String::new(),
            known_prompts: HashMap::new(),
            next_prompt: 0,
        })
    }

    /// Records that there are.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    /// Records that are left.
    pub(super) fn left(&self) -> usize {
        self.records.len()
    }

    /// Tokenises the next record, if one is left. One that cannot be used is counted and left out.
    pub(super) fn advance<Codec: TextCodec + ?Sized>(
        &mut self,
        settings: &DataSettings,
        codec: &Codec,
        statistics: &mut DatasetStatistics,
    ) {
        let Some(RecordAtLine { line, record }) = self.records.next() else {
            return;
        };
        match self.encode(record, settings, codec, statistics) {
            Ok(Some(token)) => statistics.control_in_text.add(line, token),
            Ok(None) => {}
            Err(error) => self.skipped.add(&self.file, line, error),
        }
        if self.examples.len() >= maximum(settings) {
            self.examples.truncate(maximum(settings));
            self.prompts.truncate(maximum(settings));
            self.records = Vec::new().into_iter();
            self.packer = None;
        }
    }

    /// Adds the last window of text. No record may be left.
    pub(super) fn finish(&mut self, settings: &DataSettings, statistics: &mut DatasetStatistics) {
        if let Some(packer) = self.packer.take() {
            let mut windows = Vec::new();
            packer.finish(&mut windows);
            self.accept_all(windows, settings, statistics);
        }
    }

    /// Makes examples of a record; the result is the control token that somebody wrote out in it.
    fn encode<Codec: TextCodec + ?Sized>(
        &mut self,
        record: Record,
        settings: &DataSettings,
        codec: &Codec,
        statistics: &mut DatasetStatistics,
    ) -> Result<Option<String>, RowError> {
        row_size::check(&record)?;
        let (row, prompt) = match record {
            Record::Pair {
                system,
                prompt,
                completion,
            } => {
                if settings.prompt_style == PromptStyle::Chat && system.is_none() {
                    self.look_at_template(&Conversation::of_pair(&prompt, &completion), codec);
                }
                encode_record(system, prompt, &completion, settings, codec)?
            }
            Record::Chat(conversation) => {
                self.look_at_template(&conversation, codec);
                let prompt = opening(&conversation);
                (encode_chat(conversation, settings.loss_on, codec)?, prompt)
            }
            Record::Text(text) => {
                let text = self.text_of_document(&text, codec);
                let before = std::mem::replace(&mut self.before, end_of_piece(text));
                let (ids, control_in_text) = encode_piece(&before, text, codec)
                    .map_err(RowError::of_codec(SkipReason::Tokenizer))?;
                check_ids(&ids)?;
                let mut windows = Vec::new();
                self.packer(settings, codec).push(&ids, &mut windows);
                self.accept_all(windows, settings, statistics);
                return Ok(control_in_text);
            }
            Record::EndOfDocument => {
                self.before.clear();
                let mut windows = Vec::new();
                self.packer(settings, codec).end_document(&mut windows);
                self.accept_all(windows, settings, statistics);
                return Ok(None);
            }
        };
        check_ids(&row.example.ids)?;
        self.accept(row.example, Some(prompt), settings, statistics);
        Ok(row.control_in_text)
    }

    /// Notes what the template adds, at the first conversation that it adds it to.
    fn look_at_template<Codec: TextCodec + ?Sized>(
        &mut self,
        conversation: &Conversation,
        codec: &Codec,
    ) {
        if !self.template_looked_at && !conversation.begins_with_system() {
            self.template_looked_at = true;
            self.added_by_template = codec.unwritten_opening();
        }
    }

    /// A piece of a document, without a beginning or an end that somebody wrote out: both are added in any case.
    fn text_of_document<'a, Codec: TextCodec + ?Sized>(
        &self,
        text: &'a str,
        codec: &Codec,
    ) -> &'a str {
        let begins = self
            .packer
            .as_ref()
            .is_none_or(Packer::is_between_documents);
        let text = if begins {
            codec.without_begin(text)
        } else {
            text
        };
        let next = self.records.as_slice().first();
        let ends = next.is_none_or(|next| next.record == Record::EndOfDocument);
        if ends { codec.without_end(text) } else { text }
    }

    fn accept_all(
        &mut self,
        windows: Vec<Example>,
        settings: &DataSettings,
        statistics: &mut DatasetStatistics,
    ) {
        for window in windows {
            self.accept(window, None, settings, statistics);
        }
    }

    fn packer<Codec: TextCodec + ?Sized>(
        &mut self,
        settings: &DataSettings,
        codec: &Codec,
    ) -> &mut Packer {
        self.packer.get_or_insert_with(|| {
            Packer::new(
                settings.sequence_length,
                codec.begin_of_text(),
                codec.end_of_text(),
            )
        })
    }

    /// Cuts `example` to the sequence length and keeps it, if something of a completion is left.
    fn accept(
        &mut self,
        mut example: Example,
        prompt: Option<String>,
        settings: &DataSettings,
        statistics: &mut DatasetStatistics,
    ) {
        let length = example.ids.len();
        let limit = settings.sequence_length;
        statistics.longest = statistics.longest.max(length);
        statistics.lengths.add(length, limit);
        self.lengths.push(length);
        example.ids.truncate(limit);
        example.counts.truncate(limit);
        if example.prompt_tokens >= example.ids.len() || example.counted() == 0 {
            statistics.dropped += 1;
            let shortest = self.shortest_too_long.get_or_insert(usize::MAX);
            *shortest = example.prompt_tokens.min(*shortest);
            return;
        }
        statistics.truncated += usize::from(length > limit);
        self.examples.push(example);
        let number = self.prompt_number(prompt);
        self.prompts.push(number);
    }

    fn prompt_number(&mut self, prompt: Option<String>) -> u32 {
        let next = self.next_prompt;
        let number = match prompt {
            Some(prompt) => *self.known_prompts.entry(prompt).or_insert(next),
            None => next,
        };
        self.next_prompt += u32::from(number == next);
        number
    }
}

/// The last words of a piece; empty where no word begins near its end.
fn end_of_piece(text: &str) -> String {
    let near = text.floor_char_boundary(text.len().saturating_sub(BYTES_BEFORE));
    let place = next_place(text, near);
    place.map_or_else(String::new, |place| text[place..].to_owned())
}

/// Tokens of `text` as they are behind `before`: some tokenizers write a space before whatever they are given, which belongs to
/// the beginning of a document only.
fn encode_piece<Codec: TextCodec + ?Sized>(
    before: &str,
    text: &str,
    codec: &Codec,
) -> Result<(Vec<u32>, Option<String>), DataError> {
    let encode = |text: &str| codec.encode(text, std::slice::from_ref(&(0..text.len())));
    if !before.is_empty() {
        let both = encode(&format!("{before}{text}"))?;
        let border = before.len();
        let first = both.places.partition_point(|place| place.start < border);
        if both.places[..first].iter().all(|place| place.end <= border) {
            let control = both.control_in_text;
            return Ok((
                both.ids[first..].to_vec(),
                control.filter(|control| text.contains(control.as_str())),
            ));
        }
    }
    let alone = encode(text)?;
    Ok((alone.ids, alone.control_in_text))
}

fn maximum(settings: &DataSettings) -> usize {
    settings.maximum_examples.unwrap_or(usize::MAX)
}

/// A pair in its form, and what it shares with others of the same prompt.
fn encode_record<Codec: TextCodec + ?Sized>(
    system: Option<String>,
    prompt: String,
    completion: &str,
    settings: &DataSettings,
    codec: &Codec,
) -> Result<(EncodedRow, String), RowError> {
    let loss_on = settings.loss_on;
    match (settings.prompt_style, system) {
        (PromptStyle::Chat, Some(system)) => {
            let mut conversation = Conversation::of_pair(&prompt, completion);
            let message = crate::load::ChatMessage::new("system", system);
            conversation.messages.insert(0, message);
            let prompt = opening(&conversation);
            Ok((encode_chat(conversation, loss_on, codec)?, prompt))
        }
        (style, system) => {
            let prompt = match system {
                Some(system) => format!("{system}\n{prompt}"),
                None => prompt,
            };
            let separator = settings.separator.as_str();
            let form = PairForm { style, separator };
            let row = encode_pair(&prompt, completion, form, loss_on, codec)?;
            Ok((row, prompt))
        }
    }
}

/// What is said before the first answer that is learned.
fn opening(conversation: &Conversation) -> String {
    let messages = conversation.messages.iter();
    messages
        .take_while(|message| !(message.is_assistant() && message.learned))
        .flat_map(|message| [message.role.as_str(), "\n", message.content.as_str(), "\n"])
        .collect()
}

/// Batches hold ids as `i32`, as models take them.
fn check_ids(ids: &[u32]) -> Result<(), RowError> {
    match ids.iter().find(|id| i32::try_from(**id).is_err()) {
        Some(id) => Err(RowError::new(
            SkipReason::Tokenizer,
            format!(
                "the tokenizer gives the token id {id}, which no model has; load the tokenizer that belongs to the model"
            ),
        )),
        None => Ok(()),
    }
}
