//! A text-to-image model, its pictures and the session that one worker trains.

use js_sys::{Array, Float32Array, Function, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::File;

use super::{
    WASM_LIMIT,
    blob_source::BlobSource,
    check_engine,
    conversion::{failure, from_js, macrotask, plain_failure, report, to_js},
    started_device,
    training::{Desk, Training},
};
use crate::diffusion::{
    DiffusionConfig, DiffusionModel, DiffusionWeights, FlowBatch, PictureBatches, Pictures, Words,
    adapter_file,
    draw::{DrawSettings, Drawing},
    estimate::estimate,
    validation_batch,
    weights::{linear_shape, parameters},
};
use crate::load::Source;
use crate::messages::{
    AdapterSummary, CaptionWord, PictureDataSettings, PictureDataSummary, PictureModelSummary,
    Progress, TargetShape,
};
use crate::model::{Target, WeightForm};
use crate::train::{MemoryEstimate, Session, SessionSettings, memory::held_bytes};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const WORDS: &str = "words.txt";

/// Largest file of a model of a size that a page trains.
const MOST_BYTES: u64 = 1 << 28;

/// A text-to-image model, pictures and the session that one worker trains.
#[wasm_bindgen]
pub struct WebPictureSession {
    name: String,
    file_bytes: f64,
    words: Words,
    data: Option<PictureData>,
    desk: Desk<DiffusionModel, PictureBatches>,
}

struct PictureData {
    pictures: Pictures,
    settings: PictureDataSettings,
}

fn no_pictures() -> JsValue {
    plain_failure("data", "no pictures are loaded; choose some first")
}

fn wrong_model(message: &str) -> JsValue {
    plain_failure("model", message)
}

/// The file whose name ends so.
async fn read(files: &[BlobSource], name: &str) -> Result<Vec<u8>, JsValue> {
    let found = files.iter().find(|file| file.name().ends_with(name));
    let file = found.ok_or_else(|| {
        wrong_model(&format!(
            "{name} is missing; a text-to-image model is {CONFIG}, {WEIGHTS} and {WORDS}"
        ))
    })?;
    if file.len() > MOST_BYTES {
        return Err(wrong_model(&format!(
            "{name} has {:.0} MB, which is more than any model that can be trained here; choose another",
            file.len() as f64 / 1e6
        )));
    }
    file.read(0, file.len() as usize).await.map_err(failure)
}

#[wasm_bindgen]
impl WebPictureSession {
    /// Reads a model from `config.json`, `model.safetensors` and `words.txt`.
    ///
    /// # Errors
    /// Files that are no such model.
    pub async fn load_model(files: Vec<File>, on_progress: Function) -> Result<Self, JsValue> {
        let device = started_device()?;
        let files: Vec<BlobSource> = files.into_iter().map(BlobSource::new).collect();
        let file_bytes = files.iter().map(|file| file.len() as f64).sum();
        let tell = |done: f64| {
            let progress = Progress {
                action: "reading weights".into(),
                done,
                total: file_bytes,
            };
            match report(&on_progress, &progress) {
                true => Ok(()),
                false => Err(wrong_model("loading was cancelled")),
            }
        };
        tell(0.0)?;
        let config: DiffusionConfig = serde_json::from_slice(&read(&files, CONFIG).await?)
            .map_err(|error| {
                wrong_model(&format!(
                    "{CONFIG} is of no model that draws: {error}; choose another"
                ))
            })?;
        let words = String::from_utf8(read(&files, WORDS).await?)
            .map_err(|_| wrong_model(&format!("{WORDS} is no text; choose another model")))?;
        let words = Words::new(&words);
        if words.table_rows() != config.vocab_size {
            return Err(wrong_model(&format!(
                "{WORDS} has words for {} rows, and the model has {}; choose files of one model",
                words.table_rows(),
                config.vocab_size
            )));
        }
        let bytes = read(&files, WEIGHTS).await?;
        let weights = DiffusionWeights::read(&config, &bytes, &device).map_err(|error| {
            wrong_model(&format!("{WEIGHTS}: {error}; choose files of one model"))
        })?;
        drop(bytes);
        tell(file_bytes)?;
        let model = weights.model().in_form(WeightForm::of_this_build());
        drop(weights);
        device.memory_cleanup();
        check_engine()?;
        Ok(Self {
            name: "riemann-lora-icons".into(),
            file_bytes,
            words,
            data: None,
            desk: Desk::new(model),
        })
    }

    /// What was loaded.
    ///
    /// # Errors
    /// None that a user can cause.
    pub fn model(&self) -> Result<JsValue, JsValue> {
        let model = &self.desk.model;
        let config = &model.config;
        to_js(&PictureModelSummary {
            name: self.name.clone(),
            parameters: parameters(config) as f64,
            image_size: config.image_size as u32,
            caption_length: config.caption_length as u32,
            text_layers: config.text_layers as u32,
            denoiser_layers: config.denoiser_layers as u32,
            hidden_size: config.hidden_size as u32,
            words: self.words.list(),
            file_bytes: self.file_bytes,
            memory_bytes: model.held_bytes(),
            targets: Target::LLAMA
                .into_iter()
                .map(|target| {
                    let (inputs, outputs) = linear_shape(target, config);
                    TargetShape {
                        target,
                        inputs: inputs as u32,
                        outputs: outputs as u32,
                    }
                })
                .collect(),
        })
    }

    /// Takes `pixels` [N, size, size, 3], bytes of sRGB, of which the last `validation` are to validate with. A session on
    /// other pictures ends.
    ///
    /// # Errors
    /// Pictures or settings that make no sense.
    pub fn load_pictures(
        &mut self,
        captions: Vec<String>,
        pixels: Vec<u8>,
        validation: usize,
        settings: JsValue,
    ) -> Result<JsValue, JsValue> {
        let wrong = |message: &str| plain_failure("data", message);
        let settings: PictureDataSettings = from_js("data", settings)?;
        if !(0.0..=1.0).contains(&settings.caption_dropout) {
            return Err(wrong("caption_dropout must be between 0 and 1"));
        }
        let config = &self.desk.model.config;
        let pictures = Pictures::new(captions, &pixels, validation, config)
            .map_err(|error| wrong(&error.to_string()))?;
        if pictures.train().is_empty() {
            return Err(wrong("there is no picture to train on; add one"));
        }
        let summary = to_js(&PictureDataSummary {
            train: pictures.train().len() as u32,
            validation: validation as u32,
            captions: pictures.captions.iter().map(|c| self.words_of(c)).collect(),
            alike: self.words.alike(&pictures.captions, config.caption_length),
        });
        self.desk.training = None;
        self.data = Some(PictureData { pictures, settings });
        summary
    }

    fn words_of(&self, caption: &str) -> Vec<CaptionWord> {
        let length = self.desk.model.config.caption_length;
        let words = Words::split(caption).into_iter().enumerate();
        words
            .map(|(place, word)| CaptionWord {
                known: self.words.knows(&word),
                read: place < length,
                word,
            })
            .collect()
    }

    /// How captions are read.
    fn reading(&self) -> (&Words, usize) {
        (&self.words, self.desk.model.config.caption_length)
    }

    fn data(&self) -> Result<&PictureData, JsValue> {
        self.data.as_ref().ok_or_else(no_pictures)
    }

    /// Bytes that a session with these settings needs.
    ///
    /// # Errors
    /// Settings of the wrong form.
    pub fn estimate(&self, settings: JsValue) -> Result<JsValue, JsValue> {
        let settings: SessionSettings = from_js("settings", settings)?;
        to_js(&self.estimated(&settings))
    }

    fn estimated(&self, settings: &SessionSettings) -> MemoryEstimate {
        let limit = if cfg!(feature = "webgpu") {
            0.0
        } else {
            WASM_LIMIT
        };
        let model = &self.desk.model;
        estimate(settings, &model.config, model.held_bytes(), limit)
    }

    /// Fresh adapters, the same in every worker that gets the same seed, or those of the adapter that was read.
    ///
    /// # Errors
    /// Settings out of range, or more memory than there is.
    pub fn configure(&mut self, settings: JsValue) -> Result<(), JsValue> {
        let settings: SessionSettings = from_js("settings", settings)?;
        let needed = self.estimated(&settings);
        let session = self.desk.begin(settings, &needed)?;
        self.train(session)
    }

    fn train(&mut self, session: Session) -> Result<(), JsValue> {
        let PictureData { pictures, settings } = self.data()?;
        let asked = session.settings();
        let (rows, seed) = (asked.batch_size as usize, u64::from(asked.seed));
        let batches =
            PictureBatches::new(pictures, rows, settings.caption_dropout, seed).map_err(failure)?;
        self.desk.training = Some(Training { session, batches });
        Ok(())
    }

    /// One step of all runs.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn step(&mut self) -> Result<JsValue, JsValue> {
        let (desk, batch) = self.desk_and_batch()?;
        desk.step(batch).await
    }

    /// What some rows of the next step's batch add to it: shard `shard` of `shards`, for [`Self::step_with_shards`].
    ///
    /// # Errors
    /// No such shard, or a device that failed.
    pub async fn shard(&mut self, shard: usize, shards: usize) -> Result<Float32Array, JsValue> {
        let (desk, batch) = self.desk_and_batch()?;
        desk.shard(batch, shard, shards).await
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

    /// The session, and what makes the batch of a step from its number.
    #[expect(clippy::type_complexity, reason = "a closure has no other name")]
    fn desk_and_batch(
        &mut self,
    ) -> Result<
        (
            &mut Desk<DiffusionModel, PictureBatches>,
            impl FnOnce(&mut PictureBatches, u64) -> FlowBatch,
        ),
        JsValue,
    > {
        let Some(PictureData { pictures, .. }) = &self.data else {
            return Err(no_pictures());
        };
        let reading = (&self.words, self.desk.model.config.caption_length);
        Ok((&mut self.desk, move |batches: &mut PictureBatches, step| {
            batches.batch(pictures, reading, step)
        }))
    }

    /// Losses on the held-out pictures.
    ///
    /// # Errors
    /// No pictures held out, a device that failed, or an evaluation that was ended.
    pub async fn evaluate(&self, on_progress: Function) -> Result<JsValue, JsValue> {
        let PictureData { pictures, .. } = self.data()?;
        let Some(batch) = validation_batch(pictures, self.reading()) else {
            let message = "no pictures are held out; choose some to validate with";
            return Err(plain_failure("data", message));
        };
        let training = self.desk.training.as_ref();
        let rows = training.map_or(1, |training| {
            training.session.settings().batch_size as usize
        });
        let parts = batch.parts(rows);
        self.desk.evaluate(parts, batch.rows, on_progress).await
    }

    /// Lets runs and the base draw, as `{ runs, size, pixels }`: indices of the runs, null for the base, width and height
    /// of a picture, and the RGBA of all pictures of the first, then of the next.
    ///
    /// # Errors
    /// Settings out of range, a device that failed, or a drawing that was ended.
    pub async fn draw(&self, settings: JsValue, on_progress: Function) -> Result<JsValue, JsValue> {
        let settings: DrawSettings = from_js("draw", settings)?;
        let session = self.desk.training.as_ref().map(|t| &t.session);
        let order = Drawing::new(
            &settings,
            self.reading(),
            session.map(Session::adapters),
            session.map_or(&[], Session::diverged_at),
        )
        .map_err(failure)?;
        if order.lanes.is_empty() {
            return drawn(&[], 0, &[]);
        }
        let mut sampler = order.sampler(&self.desk.model);
        for step in 1..=settings.steps {
            sampler.step();
            // On a GPU this waits for the step, so that progress is none of promises.
            sampler.ready().await.map_err(failure)?;
            check_engine()?;
            let progress = Progress {
                action: "drawing".into(),
                done: f64::from(step),
                total: f64::from(settings.steps),
            };
            if !report(&on_progress, &progress) {
                return Err(plain_failure("draw", "Drawing was cancelled."));
            }
            macrotask().await;
        }
        let pictures = sampler.pictures().await;
        check_engine()?;
        let pictures = pictures.map_err(failure)?.concat().concat();
        drawn(&order.lanes, self.desk.model.config.image_size, &pictures)
    }

    /// Adapters, optimizer state and position, to go on from elsewhere.
    ///
    /// # Errors
    /// No session, or a device that failed.
    pub async fn checkpoint(&self) -> Result<Uint8Array, JsValue> {
        self.desk.checkpoint().await
    }

    /// Goes on from a checkpoint of the same model and pictures.
    ///
    /// # Errors
    /// Bytes that are no checkpoint of this model.
    pub fn restore(&mut self, bytes: Vec<u8>) -> Result<(), JsValue> {
        let session = Session::resume(&self.desk.model, &bytes).map_err(failure)?;
        self.train(session)
    }

    /// Starts all later sessions from an adapter that was exported here.
    ///
    /// # Errors
    /// Bytes that are no adapter of this model.
    pub fn start_from(&mut self, weights: Vec<u8>) -> Result<JsValue, JsValue> {
        let read = adapter_file::read(&self.desk.model, &weights)
            .map_err(|error| plain_failure("adapter", &error.to_string()))?;
        check_engine()?;
        let shape = &read.adapters.shape;
        let blocks = read.adapters.blocks.len() as u32;
        let summary = AdapterSummary {
            rank: shape.rank as u32,
            alpha: shape.alpha,
            use_rslora: shape.use_rslora,
            targets: shape.targets.clone(),
            base: read.base,
            tensors: 2 * read.adapters.banks().count() as u32,
            layers: blocks,
            of_layers: blocks,
            notices: Vec::new(),
        };
        self.desk.start = Some(read.adapters);
        to_js(&summary)
    }

    /// Starts all later sessions from fresh adapters again.
    pub fn start_afresh(&mut self) {
        self.desk.start = None;
    }

    /// A run's adapter as a safetensors file.
    ///
    /// # Errors
    /// No such run, one that diverged, or a device that failed.
    pub async fn export_adapter(&self, run: usize) -> Result<Uint8Array, JsValue> {
        let (_, adapter) = self.desk.trained(run)?;
        let written = adapter_file::write(&self.desk.model, &adapter, 0, &self.name).await;
        check_engine()?;
        let written = written.map_err(|error| plain_failure("adapter", &error.to_string()))?;
        Ok(Uint8Array::from(written.as_slice()))
    }

    /// Bytes of this worker's memory; those of a GPU are not in it.
    pub fn memory_bytes(&self) -> f64 {
        held_bytes()
    }
}

/// Drawn pictures as the page gets them; `pixels` are RGB.
fn drawn(lanes: &[Option<u32>], size: usize, pixels: &[u8]) -> Result<JsValue, JsValue> {
    let rgba: Vec<u8> = pixels
        .chunks_exact(3)
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2], u8::MAX])
        .collect();
    let runs: Array = lanes
        .iter()
        .map(|lane| lane.map_or(JsValue::NULL, JsValue::from))
        .collect();
    let object = Object::new();
    Reflect::set(&object, &"runs".into(), &runs)?;
    Reflect::set(&object, &"size".into(), &JsValue::from(size as u32))?;
    Reflect::set(
        &object,
        &"pixels".into(),
        &Uint8Array::from(rgba.as_slice()),
    )?;
    Ok(object.into())
}
