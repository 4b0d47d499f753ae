//! The records of one file on their way to examples.

use std::collections::HashMap;
use std::vec;

use super::codec::TextCodec;
use super::detect::{Detected, detect};
use super::encode::{encode_chat, encode_pair};
use super::error::DataError;
use super::example::Example;
use super::pack::Packer;
use super::read::{ReadOptions, Record, RecordAtLine, read};
use super::settings::DataSettings;
use super::statistics::DatasetStatistics;
use crate::load::ChatMessage;

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
    records: vec::IntoIter<RecordAtLine>,
    total: usize,
    packer: Option<Packer>,
    known_prompts: HashMap<String, u32>,
    next_prompt: u32,
}

impl Part {
    /// Reads the records; nothing is tokenised yet.
    pub(super) fn new(file: &str, text: &str, settings: &DataSettings) -> Result<Self, DataError> {
        let detected = match settings.format {
            Some(format) => Detected {
                format,
                reason: "chosen".to_owned(),
            },
            None => detect(file, text),
        };
        let options = ReadOptions {
            format: detected.format,
            columns: settings.columns.clone(),
            documents: settings.documents,
            maximum: maximum(settings),
        };
        let records = read(file, text, &options)?;
        Ok(Self {
            file: file.to_owned(),
            detected,
            examples: Vec::new(),
            prompts: Vec::new(),
            shortest_too_long: None,
            total: records.len(),
            records: records.into_iter(),
            packer: None,
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

    /// Tokenises the next record, if one is left.
    pub(super) fn advance<Codec: TextCodec + ?Sized>(
        &mut self,
        settings: &DataSettings,
        codec: &Codec,
        statistics: &mut DatasetStatistics,
    ) -> Result<(), DataError> {
        let Some(RecordAtLine { line, record }) = self.records.next() else {
            return Ok(());
        };
        self.encode(record, settings, codec, statistics)
            .map_err(|error| error.at(&self.file, line))?;
        if self.examples.len() >= maximum(settings) {
            self.examples.truncate(maximum(settings));
            self.prompts.truncate(maximum(settings));
            self.records = Vec::new().into_iter();
            self.packer = None;
        }
        Ok(())
    }

    /// Adds the last window of text. No record may be left.
    pub(super) fn finish(&mut self, settings: &DataSettings, statistics: &mut DatasetStatistics) {
        if let Some(window) = self.packer.take().and_then(Packer::finish) {
            self.accept(window, None, settings, statistics);
        }
    }

    fn encode<Codec: TextCodec + ?Sized>(
        &mut self,
        record: Record,
        settings: &DataSettings,
        codec: &Codec,
        statistics: &mut DatasetStatistics,
    ) -> Result<(), DataError> {
        match record {
            Record::Pair { prompt, completion } => {
                let style = settings.prompt_style;
                let example = encode_pair(&prompt, &completion, style, settings.loss_on, codec)?;
                check_ids(&example.ids)?;
                self.accept(example, Some(prompt), settings, statistics);
            }
            Record::Chat(messages) => {
                let example = encode_chat(&messages, settings.loss_on, codec)?;
                check_ids(&example.ids)?;
                self.accept(example, Some(opening(&messages)), settings, statistics);
            }
            Record::Text(text) => {
                let ids = codec.encode(&text)?;
                check_ids(&ids)?;
                let mut windows = Vec::new();
                self.packer(settings, codec).push(&ids, &mut windows);
                for window in windows {
                    self.accept(window, None, settings, statistics);
                }
            }
            Record::EndOfDocument => self.packer(settings, codec).end_document(),
        }
        Ok(())
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

fn maximum(settings: &DataSettings) -> usize {
    settings.maximum_examples.unwrap_or(usize::MAX)
}

/// What is said before the first answer.
fn opening(messages: &[ChatMessage]) -> String {
    messages
        .iter()
        .take_while(|message| !message.is_assistant())
        .flat_map(|message| [message.role.as_str(), "\n", message.content.as_str(), "\n"])
        .collect()
}

/// Batches hold ids as `i32`, as models take them.
fn check_ids(ids: &[u32]) -> Result<(), DataError> {
    match ids.iter().find(|id| i32::try_from(**id).is_err()) {
        Some(id) => Err(DataError::new(format!(
            "the tokenizer gives the token id {id}, which no model has; load the tokenizer that belongs to the model"
        ))),
        None => Ok(()),
    }
}
