//! A session as bytes, and back: what a crashed worker resumes from.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::{Session, SessionError, trainable::Trainable};
use crate::messages::SessionSettings;
use crate::model::Adapters;
use crate::optim::Optimizer;
use crate::tensor_file::{self, TensorFile, TensorFileError};

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
        let (mut adapters, mut optimizer) = (self.adapters.clone(), self.optimizer.clone());
        let state = State {
            settings: self.settings.clone(),
            step: self.step,
            diverged_at: self.diverged_at.clone(),
        };
        let state = serde_json::to_string(&state).map_err(wrong)?;
        let tensors = tensors(&mut adapters, &mut optimizer);
        let tensors = tensors.map(|(name, tensor)| (name, tensor.clone()));
        Ok(tensor_file::write(tensors, (STATE, state)).await?)
    }

    /// The session that [`Session::checkpoint`] saved; its next steps are those that would have
    /// followed there.
    ///
    /// # Errors
    /// Bytes that are no checkpoint, or one of another base.
    pub fn resume<M: Trainable>(model: &M, bytes: &[u8]) -> Result<Self, SessionError> {
        let state = read_state(bytes)?;
        let mut session = Self::new(model, state.settings)?;
        session.step = state.step;
        session.diverged_at = state.diverged_at;
        let file = TensorFile::open(bytes)?;
        for (name, tensor) in tensors(&mut session.adapters, &mut session.optimizer) {
            *tensor = file.tensor(&name, tensor.dims(), model.device())?;
        }
        Ok(session)
    }
}

/// What a checkpoint says beside its tensors.
fn read_state(bytes: &[u8]) -> Result<State, SessionError> {
    let state = tensor_file::read_metadata(bytes, STATE)?
        .ok_or_else(|| wrong("it holds no session; use a file that this page saved"))?;
    let state: State = serde_json::from_str(&state).map_err(wrong)?;
    match state.diverged_at.len() == state.settings.runs.len() {
        true => Ok(state),
        false => Err(wrong("it lists another number of runs than its settings")),
    }
}

fn wrong(error: impl ToString) -> SessionError {
    SessionError::Checkpoint(error.to_string())
}

impl From<TensorFileError> for SessionError {
    fn from(error: TensorFileError) -> Self {
        match error {
            TensorFileError::Device(reason) => Self::Device(reason),
            other => wrong(other),
        }
    }
}
