//! A session as bytes, and back: what a crashed worker resumes from.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, TensorData, Transaction};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};

use super::{Session, SessionError, session::device_error};
use crate::messages::SessionSettings;
use crate::model::{Adapters, Llama};
use crate::optim::Optimizer;

/// Key of the safetensors metadata that holds everything but tensors.
const STATE: &str = "riemann_lora_session";

/// What a checkpoint says beside its tensors. The data position and the state of every random
/// choice follow from the step and the settings.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    settings: SessionSettings,
    step: u32,
    diverged_at: Vec<Option<u32>>,
}

/// The tensors of a session, always in the same order.
fn tensors<'a>(
    adapters: &'a mut Adapters,
    optimizer: &'a mut Optimizer,
) -> impl Iterator<Item = (String, &'a mut Tensor<3>)> {
    let banks = adapters.banks_mut().zip(&mut optimizer.moments);
    banks.enumerate().flat_map(|(index, (bank, moments))| {
        [
            ("lora_a", &mut bank.a),
            ("lora_b", &mut bank.b),
            ("lora_a.first_moment", &mut moments.a.first),
            ("lora_a.second_moment", &mut moments.a.second),
            ("lora_b.first_moment", &mut moments.b.first),
            ("lora_b.second_moment", &mut moments.b.second),
        ]
        .map(|(name, tensor)| (format!("banks.{index}.{name}"), tensor))
    })
}

impl Session {
    /// Adapters, optimizer state and position, as a safetensors file.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn checkpoint(&self) -> Result<Vec<u8>, SessionError> {
        let wrong = |error: &dyn ToString| SessionError::Checkpoint(error.to_string());
        let (mut adapters, mut optimizer) = (self.adapters.clone(), self.optimizer.clone());
        let mut names = Vec::new();
        let mut shapes = Vec::new();
        let mut transaction = Transaction::default();
        for (name, tensor) in tensors(&mut adapters, &mut optimizer) {
            names.push(name);
            shapes.push(tensor.dims().to_vec());
            transaction = transaction.register(tensor.clone());
        }
        let data = transaction.execute_async().await.map_err(device_error)?;
        let bytes: Vec<Vec<u8>> = data
            .iter()
            .map(|data| data.iter::<f32>().flat_map(f32::to_le_bytes).collect())
            .collect();
        let mut views = Vec::with_capacity(names.len());
        for ((name, shape), bytes) in names.into_iter().zip(shapes).zip(&bytes) {
            let view = TensorView::new(Dtype::F32, shape, bytes).map_err(|error| wrong(&error))?;
            views.push((name, view));
        }
        let state = State {
            settings: self.settings.clone(),
            step: self.step,
            diverged_at: self.diverged_at.clone(),
        };
        let state = serde_json::to_string(&state).map_err(|error| wrong(&error))?;
        let metadata = HashMap::from([(STATE.to_owned(), state)]);
        safetensors::serialize(views, Some(metadata)).map_err(|error| wrong(&error))
    }

    /// The session that [`Session::checkpoint`] saved; its next steps are those that would have
    /// followed there.
    ///
    /// # Errors
    /// Bytes that are no checkpoint, or one of another base.
    pub fn resume(model: &Llama, bytes: &[u8]) -> Result<Self, SessionError> {
        let wrong = |error: &dyn ToString| SessionError::Checkpoint(error.to_string());
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| wrong(&error))?;
        let state = metadata
            .metadata()
            .as_ref()
            .and_then(|entries| entries.get(STATE))
            .ok_or_else(|| wrong(&"it holds no session; use a file that this page saved"))?;
        let state: State = serde_json::from_str(state).map_err(|error| wrong(&error))?;
        if state.diverged_at.len() != state.settings.runs.len() {
            return Err(wrong(&"it lists another number of runs than its settings"));
        }
        let mut session = Self::new(model, state.settings)?;
        session.step = state.step;
        session.diverged_at = state.diverged_at;
        let file = SafeTensors::deserialize(bytes).map_err(|error| wrong(&error))?;
        for (name, tensor) in tensors(&mut session.adapters, &mut session.optimizer) {
            let view = file
                .tensor(&name)
                .map_err(|_| wrong(&format!("{name} is missing")))?;
            *tensor = restored(&name, &view, tensor.dims(), &model.device)?;
        }
        Ok(session)
    }
}

fn restored(
    name: &str,
    view: &TensorView<'_>,
    shape: [usize; 3],
    device: &Device,
) -> Result<Tensor<3>, SessionError> {
    if view.dtype() != Dtype::F32 || view.shape() != shape {
        return Err(SessionError::Checkpoint(format!(
            "{name} is {:?} {:?}, and this base with these settings needs F32 {shape:?}",
            view.dtype(),
            view.shape()
        )));
    }
    let values: Vec<f32> = view
        .data()
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect();
    Ok(Tensor::from_data(TensorData::new(values, shape), device))
}
