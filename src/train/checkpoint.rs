//! A session as bytes, and back: what a crashed worker resumes from.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{Session, SessionError, session::FirstBlocks};
use crate::diffusion::DiffusionModel;
use crate::messages::SessionSettings;
use crate::model::{Adapters, Base};
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first_blocks: Option<FirstBlocks>,
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
            first_blocks: self.first_blocks.clone(),
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
    pub fn resume(model: &Base, bytes: &[u8]) -> Result<Self, SessionError> {
        let state = read_state(bytes)?;
        let session = Self::new(model, state.settings.clone())?;
        session.restored(state, bytes, &model.device)
    }

    /// The image session that [`Session::checkpoint`] saved.
    ///
    /// # Errors
    /// Bytes that are no checkpoint, or one of another model.
    pub fn resume_of_pictures(model: &DiffusionModel, bytes: &[u8]) -> Result<Self, SessionError> {
        let state = read_state(bytes)?;
        let text_lr = state.first_blocks.clone().unwrap_or_default().lr;
        let session = Self::of_pictures(model, state.settings.clone(), text_lr)?;
        session.restored(state, bytes, &model.device)
    }

    fn restored(
        mut self,
        state: State,
        bytes: &[u8],
        device: &Device,
    ) -> Result<Self, SessionError> {
        self.step = state.step;
        self.diverged_at = state.diverged_at;
        self.first_blocks = state.first_blocks;
        let file = TensorFile::open(bytes)?;
        for (name, tensor) in tensors(&mut self.adapters, &mut self.optimizer) {
            *tensor = file.tensor(&name, tensor.dims(), device)?;
        }
        Ok(self)
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
