//! What a worker's session is whatever its model: settings to adapters, steps, evaluation, checkpoints.

use js_sys::{Float32Array, Function, Uint8Array};
use wasm_bindgen::prelude::*;

use super::{
    check_engine,
    conversion::{failure, macrotask, plain_failure, report, to_js},
};
use crate::engine;
use crate::messages::Progress;
use crate::model::Adapters;
use crate::train::{MemoryEstimate, Session, SessionSettings, Trainable, evaluate};

/// A model, what its runs start from, and the session on it with its batches `B`.
pub struct Desk<M, B> {
    pub model: M,
    /// What runs start from in place of fresh adapters.
    pub start: Option<Adapters>,
    pub training: Option<Training<B>>,
}

/// A session and what it is trained on.
pub struct Training<B> {
    pub session: Session,
    pub batches: B,
}

impl<M: Trainable, B> Desk<M, B> {
    pub fn new(model: M) -> Self {
        Self {
            model,
            start: None,
            training: None,
        }
    }

    /// The session that runs with these settings begin with.
    pub fn begin(
        &self,
        settings: SessionSettings,
        needed: &MemoryEstimate,
    ) -> Result<Session, JsValue> {
        let session = match &self.start {
            Some(start) => Session::starting_from(&self.model, settings, start),
            None => Session::new(&self.model, settings),
        };
        let session = session.map_err(failure)?;
        if needed.limit > 0.0 && needed.total > needed.limit {
            return Err(plain_failure(
                "settings",
                &format!(
                    "these settings need {:.1} GB, and a tab's worker can have {:.1} GB; lower batch_size, the number of runs or, with texts, sequence_length",
                    needed.total / 1e9,
                    needed.limit / 1e9
                ),
            ));
        }
        Ok(session)
    }

    /// One step of all runs, on what `batch` makes of the batches and the step's number from 0.
    pub async fn step(
        &mut self,
        batch: impl FnOnce(&mut B, u64) -> M::Batch,
    ) -> Result<JsValue, JsValue> {
        let training = self.training.as_mut();
        let Training { session, batches } = training.ok_or_else(no_session)?;
        let batch = batch(batches, u64::from(session.steps_done()));
        let report = session.step(&self.model, &batch).await;
        check_engine()?;
        to_js(&report.map_err(failure)?)
    }

    /// What shard `shard` of `shards` of the next step's batch adds to it; the batch is as for [`Self::step`].
    pub async fn shard(
        &mut self,
        batch: impl FnOnce(&mut B, u64) -> M::Batch,
        shard: usize,
        shards: usize,
    ) -> Result<Float32Array, JsValue> {
        let training = self.training.as_mut();
        let Training { session, batches } = training.ok_or_else(no_session)?;
        let batch = batch(batches, u64::from(session.steps_done()));
        let values = session.shard(&self.model, &batch, shard, shards).await;
        check_engine()?;
        Ok(Float32Array::from(values.map_err(failure)?.as_slice()))
    }

    /// The step from all its shards on.
    pub async fn step_with_shards(&mut self, shards: &[Float32Array]) -> Result<JsValue, JsValue> {
        let training = self.training.as_mut();
        let Training { session, .. } = training.ok_or_else(no_session)?;
        let shards: Vec<Vec<f32>> = shards.iter().map(Float32Array::to_vec).collect();
        let report = session.step_with_shards(&shards, self.model.device()).await;
        check_engine()?;
        to_js(&report.map_err(failure)?)
    }

    /// Losses on held-out batches, of `examples` in all.
    pub async fn evaluate(
        &self,
        batches: impl IntoIterator<Item = M::Batch>,
        examples: usize,
        on_progress: Function,
    ) -> Result<JsValue, JsValue> {
        let Training { session, .. } = self.training.as_ref().ok_or_else(no_session)?;
        let losses = evaluate(session, &self.model, batches, async |done| {
            let progress = Progress {
                action: "measuring validation loss".into(),
                done: done as f64,
                total: examples as f64,
            };
            let goes_on = report(&on_progress, &progress);
            macrotask().await;
            goes_on && engine::check().is_ok()
        });
        let losses = losses.await;
        check_engine()?;
        match losses.map_err(failure)? {
            Some(report) => to_js(&report),
            None => Err(plain_failure("run", "the evaluation was cancelled")),
        }
    }

    /// Adapters, optimizer state and position, to go on from elsewhere.
    pub async fn checkpoint(&self) -> Result<Uint8Array, JsValue> {
        let Training { session, .. } = self.training.as_ref().ok_or_else(no_session)?;
        let bytes = session.checkpoint().await;
        check_engine()?;
        Ok(Uint8Array::from(bytes.map_err(failure)?.as_slice()))
    }

    /// The session and the adapter of its run `run`.
    pub fn trained(&self, run: usize) -> Result<(&Session, Adapters), JsValue> {
        let Some(training) = &self.training else {
            let message = "there is no trained run yet; press Start first";
            return Err(plain_failure("adapter", message));
        };
        let adapter = training.session.adapter(run).map_err(failure)?;
        Ok((&training.session, adapter))
    }
}

/// What a page does wrong that steps or evaluates before it configures.
fn no_session() -> JsValue {
    plain_failure("run", "no session is configured; press Start first")
}
