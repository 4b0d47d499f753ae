//! The page's worker talks to this module, and nothing else here knows JavaScript.
//!
//! Messages are the plain types of [`crate::messages`]; every rejected promise carries a
//! [`Failure`]. Long actions take a callback that gets progress and ends the action by returning
//! false.

mod adapters;
mod blob_source;
mod conversion;
mod pictures;
mod sweep;
mod theory;
mod token_losses;
mod training;

use std::time::Duration;

use burn::tensor::Device;
use js_sys::{Float32Array, Function, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::File;
use web_time::Instant;

use crate::data::{
    Batches, DataSettings, Dataset, DatasetBuilder, PromptStyle, encode_prompt, prompt::SEPARATOR,
};
use crate::engine;
use crate::generate::{Answer, GenerateError, Generator, SampleSettings};
use crate::kernel::ProductTable;
use crate::load::{Source, TextStream, Tokenizer};
use crate::messages::{
    DataSummary, EngineReport, Failure, ModelSummary, Progress, SamplePiece, TargetShape,
    TokenPiece,
};
use crate::model::{Base, Checkpoint};
use crate::peft::known_base;
use crate::train::{
    MemoryEstimate, Session, SessionSettings,
    binding::check_binding,
    counting::Counting,
    estimate::{Room, estimate},
    memory::{allocated_bytes, held_bytes},
};

use self::{
    blob_source::BlobSource,
    conversion::{failure, from_js, js, macrotask, plain_failure, report, to_js},
    training::{Desk, Training},
};

/// Bytes that a wasm module can address.
const WASM_LIMIT: f64 = 4_294_967_296.0;

/// How long data is tokenised between two looks at whether that was cancelled; a record that is begun is finished.
const SLICE: Duration = Duration::from_millis(100);

/// Examples that the page shows as tokens.
const PREVIEWED: usize = 8;

/// Counted, so that the estimate knows what tokenizers and data take.
#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static DEVICE: std::cell::RefCell<Option<Device>> = const { std::cell::RefCell::new(None) };
    /// Bytes of this memory with an engine and nothing loaded.
    static MODULE_BYTES: std::cell::Cell<f64> = const { std::cell::Cell::new(0.0) };
}

/// Makes the engine. Once a worker, before anything else. `products` is what an earlier start on the same adapter reported,
/// so that it need not be measured again; of no use to the CPU.
///
/// # Errors
/// WebGPU without a usable adapter.
#[wasm_bindgen]
pub async fn start_engine(products: JsValue) -> Result<JsValue, JsValue> {
    console_error_panic_hook::set_once();
    // Shader compile errors only reach the log. A second logger is refused, which changes nothing.
    let _ = console_log::init_with_level(log::Level::Warn);
    let (device, started) = engine::start().await.map_err(failure)?;
    let products = choose_products(products, &device).await;
    DEVICE.set(Some(device));
    MODULE_BYTES.set(held_bytes());
    to_js(&EngineReport {
        engine: started.engine.into(),
        description: started.description,
        fallback_adapter: started.fallback_adapter,
        max_buffer_bytes: started.max_buffer_bytes,
        products,
    })
}

/// The ways of products that are taken from now on.
#[cfg(feature = "webgpu")]
async fn choose_products(known: JsValue, device: &Device) -> Option<ProductTable> {
    // What cannot be read is measured anew.
    let known = serde_wasm_bindgen::from_value(known).ok();
    Some(crate::kernel::webgpu::choose(known, device).await)
}

/// The CPU has one way.
#[cfg(not(feature = "webgpu"))]
async fn choose_products(_known: JsValue, _device: &Device) -> Option<ProductTable> {
    None
}

/// The device that [`start_engine`] made.
fn started_device() -> Result<Device, JsValue> {
    DEVICE
        .with_borrow(Clone::clone)
        .ok_or_else(|| plain_failure("engine", "the engine has not been started"))
}

/// Gives the WebGPU device up, as a driver reset does, so that recovery can be tried.
#[cfg(feature = "webgpu")]
#[wasm_bindgen]
pub fn lose_device() {
    engine::destroy();
}

/// A base, its data and the session that one worker trains.
#[wasm_bindgen]
pub struct WebSession {
    name: String,
    base_id: Option<String>,
    notices: Vec<String>,
    file_bytes: f64,
    tokenizer: Tokenizer,
    /// Bytes that loading left in this memory.
    loaded_bytes: f64,
    data: Option<LoadedData>,
    desk: Desk<Base, Batches>,
}

struct LoadedData {
    dataset: Dataset,
    settings: DataSettings,
    /// Bytes that loading left in this memory.
    bytes: f64,
}

#[wasm_bindgen]
impl WebSession {
    /// Reads a base from the files that the user chose.
    ///
    /// # Errors
    /// Files that are no model, or one that does not fit into memory.
    pub async fn load_model(files: Vec<File>, on_progress: Function) -> Result<Self, JsValue> {
        let device = started_device()?;
        let before = allocated_bytes();
        let files: Vec<BlobSource> = files.into_iter().map(BlobSource::new).collect();
        let file_bytes: f64 = files.iter().map(|file| file.len() as f64).sum();
        let first = files.first().map(|file| file.name().to_owned());
        let checkpoint = Checkpoint::open(files).await.map_err(failure)?;
        check_size(checkpoint.name(), file_bytes)?;
        let model = Base::load(&checkpoint, &device, |done, total| {
            let progress = Progress {
                action: "reading weights".into(),
                done: done as f64,
                total: total as f64,
            };
            report(&on_progress, &progress)
        })
        .await
        .map_err(failure)?;
        device.memory_cleanup();
        check_engine()?;
        let names = [first.as_deref().unwrap_or_default(), checkpoint.name()];
        Ok(Self {
            name: checkpoint.name().to_owned(),
            base_id: known_base(&names).map(str::to_owned),
            notices: checkpoint.notices().to_vec(),
            file_bytes,
            tokenizer: checkpoint.into_tokenizer(),
            loaded_bytes: allocated_bytes() - before,
            data: None,
            desk: Desk::new(model),
        })
    }

    /// What was loaded.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn model(&self) -> Result<JsValue, JsValue> {
        let config = &self.desk.model.config;
        to_js(&ModelSummary {
            name: self.name.clone(),
            base_id: self.base_id.clone(),
            architecture: config.architecture.model_type.into(),
            parameters: config.parameters() as f64,
            layers: config.num_hidden_layers as u32,
            hidden_size: config.hidden_size as u32,
            vocab_size: config.vocab_size as u32,
            context_length: u32::try_from(config.max_position_embeddings).unwrap_or(u32::MAX),
            file_bytes: self.file_bytes,
            memory_bytes: self.desk.model.held_bytes(),
            has_chat_template: self.tokenizer.chat_template().is_some(),
            targets: config
                .architecture
                .targets()
                .iter()
                .filter_map(|&target| {
                    let (inputs, outputs) = target.shape(config)?;
                    Some(TargetShape {
                        target,
                        inputs: inputs as u32,
                        outputs: outputs as u32,
                    })
                })
                .collect(),
            notices: self.notices.clone(),
        })
    }

    /// Tokenises the user's data, and what it is validated on where that is a file of its own. A session on other data ends.
    ///
    /// # Errors
    /// Data or settings that make no sense.
    pub async fn load_data(
        &mut self,
        file_name: String,
        bytes: Vec<u8>,
        validation_name: Option<String>,
        validation_bytes: Option<Vec<u8>>,
        settings: JsValue,
        on_progress: Function,
    ) -> Result<JsValue, JsValue> {
        // The files are let go when they are read.
        let files = bytes.len() + validation_bytes.as_ref().map_or(0, Vec::len);
        let before = allocated_bytes() - files as f64;
        let settings: DataSettings = from_js("data", settings)?;
        let context = self.desk.model.config.max_position_embeddings;
        if settings.sequence_length > context {
            return Err(js(&Failure {
                place: "data".into(),
                field: Some("sequence_length".into()),
                message: format!(
                    "sequence_length is {}, and this model reads {context} tokens; choose {context} or fewer",
                    settings.sequence_length
                ),
            }));
        }
        let mut builder = DatasetBuilder::new(&file_name, bytes, &settings).map_err(failure)?;
        if let (Some(name), Some(bytes)) = (validation_name, validation_bytes) {
            builder = builder.with_validation(&name, bytes).map_err(failure)?;
        }
        loop {
            let began = Instant::now();
            let progress = loop {
                let progress = builder.next_chunk(&self.tokenizer, 1);
                if progress.is_finished() || began.elapsed() >= SLICE {
                    break progress;
                }
            };
            let shown = Progress {
                action: "tokenising".into(),
                done: progress.done as f64,
                total: progress.total as f64,
            };
            if !report(&on_progress, &shown) {
                return Err(plain_failure("data", "loading was cancelled"));
            }
            if progress.is_finished() {
                break;
            }
            macrotask().await;
        }
        let dataset = builder.finish(&self.tokenizer).map_err(failure)?;
        let preview = dataset
            .train()
            .iter()
            .take(PREVIEWED)
            .map(|example| self.pieces(&example.ids, &example.counts))
            .collect();
        let summary = to_js(&DataSummary {
            detected: dataset.detected().clone(),
            validation_detected: dataset.validation_detected().cloned(),
            added_by_template: dataset.added_by_template().map(str::to_owned),
            statistics: dataset.statistics().clone(),
            preview,
        });
        let bytes = allocated_bytes() - before;
        self.desk.training = None;
        self.data = Some(LoadedData {
            dataset,
            settings,
            bytes,
        });
        summary
    }

    /// Tokens with their text. A letter that several tokens share stands with the last of them.
    fn pieces(&self, ids: &[u32], counts: &[bool]) -> Vec<TokenPiece> {
        let mut stream = TextStream::new(false);
        let mut pieces: Vec<TokenPiece> = ids
            .iter()
            .zip(counts)
            .map(|(&id, &counts)| TokenPiece {
                text: stream.push(&self.tokenizer, id),
                counts,
            })
            .collect();
        if let Some(last) = pieces.last_mut() {
            last.text.push_str(&stream.finish(&self.tokenizer));
        }
        pieces
    }

    /// Bytes that a session with these settings needs.
    ///
    /// # Errors
    /// Settings of the wrong form.
    pub fn estimate(&self, settings: JsValue) -> Result<JsValue, JsValue> {
        let settings: SessionSettings = from_js("settings", settings)?;
        to_js(&self.estimated(&settings))
    }

    /// Tokens of the longest batch: as many as the longest example has, once there is one.
    fn longest(&self) -> usize {
        self.data.as_ref().map_or(128, |data| {
            let longest = data.dataset.statistics().longest.next_multiple_of(8);
            longest.min(data.settings.sequence_length)
        })
    }

    fn estimated(&self, settings: &SessionSettings) -> MemoryEstimate {
        let limit = if cfg!(feature = "webgpu") {
            0.0
        } else {
            WASM_LIMIT
        };
        let model = &self.desk.model;
        let base = model.held_bytes();
        let room = Room {
            base,
            unpacked: model.unpacked_bytes(),
            texts: if cfg!(feature = "webgpu") {
                0.0
            } else {
                let data = self.data.as_ref().map_or(0.0, |data| data.bytes);
                MODULE_BYTES.get() + self.loaded_bytes - base + data
            },
            most_bytes: model.most_bytes,
            limit,
        };
        estimate(settings, &model.config, room, self.longest())
    }

    /// Fresh adapters, the same in every worker that gets the same seed, or those of the adapter that was read.
    ///
    /// # Errors
    /// Settings out of range, or more memory than there is.
    pub fn configure(&mut self, settings: JsValue) -> Result<(), JsValue> {
        let settings: SessionSettings = from_js("settings", settings)?;
        let needed = self.estimated(&settings);
        let model = &self.desk.model;
        check_binding(&settings, &model.config, self.longest(), model.most_bytes)
            .map_err(|problem| plain_failure("settings", &problem))?;
        let session = self.desk.begin(settings, &needed)?;
        self.train(session)
    }

    fn train(&mut self, session: Session) -> Result<(), JsValue> {
        let data = self
            .data
            .as_ref()
            .ok_or_else(|| plain_failure("data", "no data is loaded; choose some first"))?;
        let rows = session.settings().batch_size as usize;
        let batches = data.dataset.train_batches(rows).map_err(failure)?;
        self.desk.training = Some(Training { session, batches });
        Ok(())
    }

    /// One step of all runs.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn step(&mut self) -> Result<JsValue, JsValue> {
        self.desk.step(Batches::batch).await
    }

    /// What some rows of the next step's batch add to it: shard `shard` of `shards`, for [`Self::step_with_shards`].
    ///
    /// # Errors
    /// No such shard, or a device that failed.
    pub async fn shard(&mut self, shard: usize, shards: usize) -> Result<Float32Array, JsValue> {
        self.desk.shard(Batches::batch, shard, shards).await
    }

    /// One step of all runs from its shards, which workers with the same session have computed, this one among them.
    ///
    /// # Errors
    /// Shards of another session, or a device that failed.
    pub async fn step_with_shards(
        &mut self,
        shards: Vec<Float32Array>,
    ) -> Result<JsValue, JsValue> {
        self.desk.step_with_shards(&shards).await
    }

    /// Losses on the held-out examples.
    ///
    /// # Errors
    /// A device that failed, or an evaluation that was ended.
    pub async fn evaluate(&mut self, on_progress: Function) -> Result<JsValue, JsValue> {
        let missing = || plain_failure("data", "no data is loaded; choose some first");
        let data = self.data.as_ref().ok_or_else(missing)?;
        let training = self.desk.training.as_ref();
        let rows = training.map_or(1, |t| t.session.settings().batch_size as usize);
        let examples = data.dataset.validation().len();
        let batches = data
            .dataset
            .validation_batches(examples, rows)
            .map_err(failure)?;
        self.desk.evaluate(batches, examples, on_progress).await
    }

    /// Lets every run, and the base if asked for, answer a prompt. Pieces come as they are written.
    ///
    /// # Errors
    /// A prompt that is empty or too long, or a device that failed.
    pub async fn sample(&self, settings: JsValue, on_piece: Function) -> Result<(), JsValue> {
        let settings: SampleSettings = from_js("sample", settings)?;
        let style = if settings.chat {
            PromptStyle::Chat
        } else {
            PromptStyle::Plain
        };
        let wrong = |message: String| plain_failure("sample", &message);
        if settings.prompt.trim().is_empty() {
            return Err(failure(GenerateError::EmptyPrompt));
        }
        let separator = match &self.data {
            Some(data) => data.settings.separator.as_str(),
            None => SEPARATOR,
        };
        let prompt = encode_prompt(&settings.prompt, style, separator, &self.tokenizer)
            .map_err(|error| wrong(error.to_string()))?;
        let end = self.tokenizer.eos_ids().to_vec();
        let training = self.desk.training.as_ref();
        let trained = training.map(|training| training.session.trained_runs());
        let diverged = training.map_or(&[] as &[_], |training| training.session.diverged_at());
        for run in (0..).zip(diverged).filter_map(|(run, at)| at.map(|_| run)) {
            // It has nothing to write with.
            let piece = SamplePiece {
                run: Some(run),
                text: String::new(),
                tokens: 0,
                done: true,
            };
            if !report(&on_piece, &piece) {
                return Ok(());
            }
        }
        if !settings.include_base && trained.as_ref().is_some_and(|t| t.runs.is_empty()) {
            return Ok(());
        }
        let runs = trained
            .as_ref()
            .map_or(&[] as &[u32], |trained| &trained.runs);
        let adapters = trained.as_ref().and_then(|t| t.adapters.as_ref());
        let answer = Answer::new(&settings.stop);
        let mut generator = Generator::new(&self.desk.model, adapters, &prompt, &end, settings)
            .map_err(failure)?
            .limited_to(self.tokenizer.vocab_size());
        let lanes = generator.lanes();
        let mut answers = vec![answer; lanes];
        let mut written = vec![0; lanes];
        let mut done = vec![false; lanes];
        loop {
            let tokens = generator.next(&self.desk.model).await;
            check_engine()?;
            let tokens = tokens.map_err(failure)?;
            for lane in 0..lanes {
                if done[lane] {
                    continue;
                }
                let token = tokens.as_ref().and_then(|tokens| tokens[lane]);
                let mut text = String::new();
                if let Some(id) = token {
                    text = answers[lane].push(&self.tokenizer, id);
                    written[lane] += 1;
                }
                if answers[lane].has_stopped() {
                    generator.end(lane);
                }
                done[lane] = token.is_none() || generator.is_done(lane);
                if done[lane] {
                    text += &answers[lane].finish(&self.tokenizer);
                }
                let piece = SamplePiece {
                    run: runs.get(lane).copied(),
                    text,
                    tokens: written[lane],
                    done: done[lane],
                };
                if !report(&on_piece, &piece) {
                    return Ok(());
                }
            }
            if done.iter().all(|&done| done) {
                return Ok(());
            }
            macrotask().await;
        }
    }

    /// Adapters, optimizer state and position, to go on from elsewhere.
    ///
    /// # Errors
    /// No session, or a device that failed.
    pub async fn checkpoint(&self) -> Result<Uint8Array, JsValue> {
        self.desk.checkpoint().await
    }

    /// Goes on from a checkpoint of the same base and data.
    ///
    /// # Errors
    /// Bytes that are no checkpoint of this base.
    pub fn restore(&mut self, bytes: Vec<u8>) -> Result<(), JsValue> {
        let session = Session::resume(&self.desk.model, &bytes).map_err(failure)?;
        self.train(session)
    }

    /// Bytes of this worker's memory; those of a GPU are not in it.
    pub fn memory_bytes(&self) -> f64 {
        held_bytes()
    }
}

/// Refuses a base that cannot be held, before memory for it is asked for.
fn check_size(name: &str, file_bytes: f64) -> Result<(), JsValue> {
    // On the CPU weights stay as the file packs them.
    let needed = file_bytes;
    // A GPU's tensors pass through this memory one at a time.
    if cfg!(feature = "webgpu") || needed < WASM_LIMIT {
        return Ok(());
    }
    Err(plain_failure(
        "model",
        &format!(
            "{name}: the weights need {:.1} GB, and a tab's worker can have {:.1} GB; choose a smaller model, or the WebGPU engine",
            needed / 1e9,
            WASM_LIMIT / 1e9
        ),
    ))
}

/// A lost device explains every other error.
fn check_engine() -> Result<(), JsValue> {
    engine::check().map_err(failure)
}
