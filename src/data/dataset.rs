//! A file to training and validation examples, in slices.

use std::collections::HashMap;
use std::sync::Arc;
use std::vec;

use super::batches::{Batch, Batches, Layout, in_order};
use super::codec::TextCodec;
use super::decode::decode;
use super::detect::{Detected, detect};
use super::encode::{encode_chat, encode_pair};
use super::error::DataError;
use super::example::Example;
use super::pack::Packer;
use super::read::{ReadOptions, Record, RecordAtLine, read};
use super::settings::DataSettings;
use super::split::{Split, split};
use super::statistics::{DatasetStatistics, LengthHistogram, tokens};

/// How far a [`DatasetBuilder`] is, in records of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Records that are tokenised.
    pub done: usize,
    /// Records that there are.
    pub total: usize,
}

impl Progress {
    /// Whether nothing is left to do.
    pub fn is_finished(self) -> bool {
        self.done == self.total
    }
}

/// Examples of one file.
struct Part {
    file: String,
    records: vec::IntoIter<RecordAtLine>,
    packer: Option<Packer>,
    examples: Vec<Example>,
    /// Number of each example's prompt.
    prompts: Vec<u32>,
}

/// Makes a [`Dataset`] in slices, so that a worker can report and be stopped between them.
pub struct DatasetBuilder {
    settings: DataSettings,
    detected: Detected,
    train: Part,
    validation: Option<Part>,
    /// Number of every prompt that was seen.
    known_prompts: HashMap<String, u32>,
    /// How many numbers are given out; windows of text have one each.
    prompt_numbers: u32,
    total: usize,
    statistics: DatasetStatistics,
    shortest_prompt: usize,
}

impl DatasetBuilder {
    /// Reads the records of `file`; nothing is tokenised yet.
    ///
    /// # Errors
    /// [`DataError`] if the settings or the file make no sense.
    pub fn new(
        file: &str,
        bytes: impl Into<Vec<u8>>,
        settings: &DataSettings,
    ) -> Result<Self, DataError> {
        settings.validate()?;
        let text = decode(file, bytes.into())?;
        let detected = match settings.format {
            Some(format) => Detected {
                format,
                reason: "chosen".to_owned(),
            },
            None => detect(file, &text),
        };
        let train = Part::new(file, &text, &detected, settings)?;
        Ok(Self {
            total: train.records.len(),
            settings: settings.clone(),
            detected,
            train,
            validation: None,
            known_prompts: HashMap::new(),
            prompt_numbers: 0,
            statistics: DatasetStatistics {
                lengths: LengthHistogram::new(settings.sequence_length),
                ..DatasetStatistics::default()
            },
            shortest_prompt: usize::MAX,
        })
    }

    /// Reads the records of a file to validate on, in place of a part of the first file.
    ///
    /// # Errors
    /// [`DataError`] if the file makes no sense.
    pub fn with_validation(mut self, file: &str, bytes: impl Into<Vec<u8>>) -> Result<Self, DataError> {
        let text = decode(file, bytes.into())?;
        let detected = match self.settings.format {
            Some(_) => self.detected.clone(),
            None => detect(file, &text),
        };
        let part = Part::new(file, &text, &detected, &self.settings)?;
        self.total += part.records.len();
        if let Some(before) = self.validation.replace(part) {
            self.total -= before.records.len();
        }
        Ok(self)
    }

    /// The format of the first file.
    pub fn detected(&self) -> &Detected {
        &self.detected
    }

    /// How far the work is.
    pub fn progress(&self) -> Progress {
        let left = self.train.records.len() + self.validation.as_ref().map_or(0, |part| part.records.len());
        Progress {
            done: self.total - left,
            total: self.total,
        }
    }

    /// Tokenises up to `records` more records.
    ///
    /// # Errors
    /// [`DataError`] with the line that cannot be tokenised.
    pub fn next_chunk<Codec: TextCodec + ?Sized>(
        &mut self,
        codec: &Codec,
        records: usize,
    ) -> Result<Progress, DataError> {
        for _ in 0..records {
            let part = match &mut self.validation {
                Some(validation) if self.train.records.len() == 0 => validation,
                _ => &mut self.train,
            };
            let Some(RecordAtLine { line, record }) = part.records.next() else {
                break;
            };
            todo!("{line} {record:?} {:?}", codec.pad());
        }
        Ok(self.progress())
    }

    /// Tokenises what is left and splits the examples.
    ///
    /// # Errors
    /// [`DataError`] if a line cannot be tokenised, or if nothing is left to train on.
    pub fn finish<Codec: TextCodec + ?Sized>(mut self, codec: &Codec) -> Result<Dataset, DataError> {
        self.next_chunk(codec, usize::MAX)?;
        todo!()
    }
}

impl Part {
    fn new(file: &str, text: &str, detected: &Detected, settings: &DataSettings) -> Result<Self, DataError> {
        let options = ReadOptions {
            format: detected.format,
            columns: settings.columns.clone(),
            documents: settings.documents,
            maximum: settings.maximum_examples.unwrap_or(usize::MAX),
        };
        Ok(Self {
            file: file.to_owned(),
            records: read(file, text, &options)?.into_iter(),
            packer: None,
            examples: Vec::new(),
            prompts: Vec::new(),
        })
    }
}

/// Examples to train on and to validate on.
#[derive(Debug, Clone)]
pub struct Dataset {
    train: Arc<[Example]>,
    validation: Arc<[Example]>,
    detected: Detected,
    statistics: DatasetStatistics,
    layout: Layout,
    seed: u64,
}

impl Dataset {
    /// Makes a data set of one file at once; [`DatasetBuilder`] does it in slices and takes a validation file.
    ///
    /// # Errors
    /// [`DataError`] if the settings or the file make no sense, or if nothing is left to train on.
    pub fn build<Codec: TextCodec + ?Sized>(
        file: &str,
        bytes: impl Into<Vec<u8>>,
        settings: &DataSettings,
        codec: &Codec,
    ) -> Result<Self, DataError> {
        DatasetBuilder::new(file, bytes, settings)?.finish(codec)
    }

    /// Examples to train on, in the order of the file; never empty.
    pub fn train(&self) -> &[Example] {
        &self.train
    }

    /// Examples that are kept out of training.
    pub fn validation(&self) -> &[Example] {
        &self.validation
    }

    /// The format of the first file.
    pub fn detected(&self) -> &Detected {
        &self.detected
    }

    /// Sizes.
    pub fn statistics(&self) -> &DatasetStatistics {
        &self.statistics
    }

    /// Batches of `rows` training examples, in the order of the settings' seed.
    ///
    /// # Errors
    /// [`DataError`] if `rows` is 0 or too large.
    pub fn train_batches(&self, rows: usize) -> Result<Batches, DataError> {
        Batches::new(self.train.clone(), rows, self.seed, self.layout)
    }

    /// Batches of `rows` of the first `examples` validation examples, always the same; the last may have fewer rows.
    ///
    /// # Errors
    /// [`DataError`] if `rows` is 0 or too large.
    pub fn validation_batches(
        &self,
        examples: usize,
        rows: usize,
    ) -> Result<impl Iterator<Item = Batch> + '_, DataError> {
        let first = &self.validation[..examples.min(self.validation.len())];
        in_order(first, rows, self.layout)
    }
}
