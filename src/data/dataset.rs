//! A file to training and validation examples, in slices.

use std::collections::HashMap;
use std::sync::Arc;

use super::batches::{Batch, Batches, Layout, in_order};
use super::codec::TextCodec;
use super::detect::Detected;
use super::error::DataError;
use super::example::Example;
use super::part::Part;
use super::settings::{DataSettings, Validation};
use super::split::{Split, split};
use super::statistics::{DatasetStatistics, LengthHistogram, length_95, tokens};

/// How far a [`DatasetBuilder`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodingProgress {
    /// Records that are tokenised.
    pub done: usize,
    /// Records that there are: a pair, a conversation, the end of a document, or up to 32 KiB of text each.
    pub total: usize,
}

impl EncodingProgress {
    /// Whether nothing is left to tokenise.
    pub fn is_finished(self) -> bool {
        self.done == self.total
    }
}

/// Makes a [`Dataset`] in slices, so that a worker can report and be stopped between them.
pub struct DatasetBuilder {
    settings: DataSettings,
    train: Part,
    validation: Option<Part>,
    statistics: DatasetStatistics,
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
        Ok(Self {
            train: Part::new(file, bytes.into(), settings)?,
            validation: None,
            statistics: DatasetStatistics {
                lengths: LengthHistogram::new(settings.sequence_length),
                ..DatasetStatistics::default()
            },
            settings: settings.clone(),
        })
    }

    /// Reads the records of a file to validate on, in place of a part of the first file.
    ///
    /// # Errors
    /// [`DataError`] if the file makes no sense.
    pub fn with_validation(
        mut self,
        file: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> Result<Self, DataError> {
        self.validation = Some(Part::new(file, bytes.into(), &self.settings)?);
        Ok(self)
    }

    /// The format of the first file.
    pub fn detected(&self) -> &Detected {
        &self.train.detected
    }

    /// How far the work is.
    pub fn progress(&self) -> EncodingProgress {
        let parts = [Some(&self.train), self.validation.as_ref()];
        let parts = parts.into_iter().flatten();
        let total = parts.clone().map(Part::total).sum();
        EncodingProgress {
            done: total - parts.map(Part::left).sum::<usize>(),
            total,
        }
    }

    /// Tokenises up to `records` more records.
    pub fn next_chunk<Codec: TextCodec + ?Sized>(
        &mut self,
        codec: &Codec,
        records: usize,
    ) -> EncodingProgress {
        for _ in 0..records {
            let part = match &mut self.validation {
                Some(validation) if self.train.left() == 0 => validation,
                _ => &mut self.train,
            };
            if part.left() == 0 {
                break;
            }
            part.advance(&self.settings, codec, &mut self.statistics);
        }
        self.progress()
    }

    /// Tokenises what is left and splits the examples.
    ///
    /// # Errors
    /// [`DataError`] if nothing is left to train or to validate on.
    pub fn finish<Codec: TextCodec + ?Sized>(
        mut self,
        codec: &Codec,
    ) -> Result<Dataset, DataError> {
        self.next_chunk(codec, usize::MAX);
        let Self {
            settings,
            mut train,
            validation,
            mut statistics,
        } = self;
        train.finish(&settings, &mut statistics);
        check_some_left(&train, &settings)?;
        let mut lengths = std::mem::take(&mut train.lengths);
        statistics.skipped = std::mem::take(&mut train.skipped);

        let seed = u64::from(settings.seed);
        let mut validation_detected = None;
        let (train_examples, validation_examples) = match validation {
            Some(mut validation) => {
                validation.finish(&settings, &mut statistics);
                check_some_left(&validation, &settings)?;
                lengths.append(&mut validation.lengths);
                statistics
                    .skipped
                    .append(std::mem::take(&mut validation.skipped));
                validation_detected = Some(validation.detected);
                (train.examples, validation.examples)
            }
            None => {
                let split = split(&train.prompts, settings.validation, seed)
                    .map_err(|error| DataError::in_file(&train.file, error.problem))?;
                statistics.prompts_kept_apart = split.prompts_kept_apart;
                divide(train.examples, &split)
            }
        };
        statistics.length_95 = length_95(&mut lengths);
        statistics.train_examples = train_examples.len();
        statistics.validation_examples = validation_examples.len();
        (statistics.train_tokens, statistics.train_counted_tokens) = tokens(&train_examples);
        (
            statistics.validation_tokens,
            statistics.validation_counted_tokens,
        ) = tokens(&validation_examples);

        let pad = codec.pad();
        Ok(Dataset {
            train: train_examples.into(),
            validation: validation_examples.into(),
            detected: train.detected,
            validation_detected,
            added_by_template: train.added_by_template,
            statistics,
            layout: Layout {
                sequence_length: settings.sequence_length,
                pad: i32::try_from(pad).map_err(|_| {
                    DataError::new(format!("the tokenizer pads with the token id {pad}, which no model has; load the tokenizer that belongs to the model"))
                })?,
            },
            seed,
        })
    }
}

fn check_some_left(part: &Part, settings: &DataSettings) -> Result<(), DataError> {
    if !part.examples.is_empty() {
        return Ok(());
    }
    let problem = match part.shortest_too_long {
        Some(prompt) => format!(
            "no completion fits into a sequence length of {} tokens, the shortest prompt has {prompt}; choose a longer one, or shorten the prompts",
            settings.sequence_length
        ),
        None if part.skipped.rows() > 0 => {
            return part.skipped.error().map_or(Ok(()), Err);
        }
        None => {
            "has fewer than two tokens, and nothing can be predicted from less; use a longer text"
                .to_owned()
        }
    };
    Err(DataError::in_file(&part.file, problem))
}

/// Training and validation examples.
fn divide(examples: Vec<Example>, split: &Split) -> (Vec<Example>, Vec<Example>) {
    let mut kept_out = split.validation.iter().copied().peekable();
    let mut train = Vec::with_capacity(split.train.len());
    let mut validation = Vec::with_capacity(split.validation.len());
    for (index, example) in examples.into_iter().enumerate() {
        match kept_out.next_if_eq(&index) {
            Some(_) => validation.push(example),
            None => train.push(example),
        }
    }
    (train, validation)
}

/// Examples to train on and to validate on.
#[derive(Debug, Clone)]
pub struct Dataset {
    train: Arc<[Example]>,
    validation: Arc<[Example]>,
    detected: Detected,
    validation_detected: Option<Detected>,
    added_by_template: Option<String>,
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

    /// The same examples, in the order of training that `seed` gives. Nothing is split or tokenised anew.
    pub fn reordered(&self, seed: u64) -> Self {
        Self {
            seed,
            ..self.clone()
        }
    }

    /// Two data sets that train on the same examples and share the validation examples between them, split by prompt
    /// with the seed of the settings: what is chosen on one half can be reported on the other.
    ///
    /// # Errors
    /// [`DataError`] if there are fewer than two validation examples.
    pub fn validation_halves(&self) -> Result<[Self; 2], DataError> {
        let mut numbers = HashMap::new();
        let prompts: Vec<u32> = (0u32..)
            .zip(self.validation.iter())
            .map(
                |(index, example)| match &example.ids[..example.prompt_tokens] {
                    [] => index,
                    prompt => *numbers.entry(prompt).or_insert(index),
                },
            )
            .collect();
        let split = split(&prompts, Validation::Share(0.5), self.seed)?;
        let half = |places: &[usize]| Self {
            validation: places
                .iter()
                .map(|&place| self.validation[place].clone())
                .collect(),
            ..self.clone()
        };
        Ok([half(&split.train), half(&split.validation)])
    }

    /// Examples to train on, in the order of the file; never empty.
    pub fn train(&self) -> &[Example] {
        &self.train
    }

    /// Examples that are kept out of training, in the order of the file.
    pub fn validation(&self) -> &[Example] {
        &self.validation
    }

    /// The format of the first file.
    pub fn detected(&self) -> &Detected {
        &self.detected
    }

    /// The format of the validation file, where there is one.
    pub fn validation_detected(&self) -> Option<&Detected> {
        self.validation_detected.as_ref()
    }

    /// What the chat template writes before the first message of a conversation of its own accord, such as a system turn
    /// that is in no row; as it stands in the text that is trained.
    pub fn added_by_template(&self) -> Option<&str> {
        self.added_by_template.as_deref()
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

    /// Batches of `rows` of `examples` validation examples, always the same; the last may have fewer rows. They are
    /// taken at equal distances, because neighbours in a file are often alike.
    ///
    /// # Errors
    /// [`DataError`] if `rows` is 0 or too large.
    pub fn validation_batches(
        &self,
        examples: usize,
        rows: usize,
    ) -> Result<impl Iterator<Item = Batch> + '_, DataError> {
        let all = self.validation.len();
        let examples = examples.min(all);
        let chosen = (0..examples).map(move |index| &self.validation[index * all / examples]);
        in_order(chosen, rows, self.layout)
    }
}
