//! A session as bytes, and back: what a crashed worker resumes from.

use serde::{Deserialize, Serialize};

use super::{Session, SessionError, SessionSettings, trainable::Trainable};
use crate::kernel::half_is_available;
use crate::model::Bank;
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

/// What the tensors of a bank are called.
const PARTS: [&str; 3] = ["", ".first_moment", ".second_moment"];

/// Under these names tensors of bank `index` are kept: factors, first moments, second moments.
fn names(index: usize, part: &str) -> [String; 2] {
    ["lora_a", "lora_b"].map(|factor| format!("banks.{index}.{factor}{part}"))
}

impl Session {
    /// Adapters, optimizer state and position, as a safetensors file.
    ///
    /// # Errors
    /// A device that failed.
    pub async fn checkpoint(&self) -> Result<Vec<u8>, SessionError> {
        let state = State {
            settings: self.settings.clone(),
            step: self.step,
            diverged_at: self.diverged_at.clone(),
        };
        let state = serde_json::to_string(&state).map_err(wrong)?;
        let [first, second] = self.optimizer.moments();
        let banks = self.adapters.banks().zip(&first).zip(&second);
        let tensors = banks
            .enumerate()
            .flat_map(|(index, ((bank, first), second))| {
                let parts = PARTS.into_iter().zip([bank, first, second]);
                parts.flat_map(move |(part, bank)| {
                    let [a, b] = names(index, part);
                    [(a, bank.a.clone()), (b, bank.b.clone())]
                })
            });
        Ok(tensor_file::write(tensors, (STATE, state)).await?)
    }

    /// The session that [`Session::checkpoint`] saved; its next steps are those that would have
    /// followed there. One in half precision goes on in single where the engine has no other.
    ///
    /// # Errors
    /// Bytes that are no checkpoint, or one of another base.
    pub fn resume<M: Trainable>(model: &M, bytes: &[u8]) -> Result<Self, SessionError> {
        let mut state = read_state(bytes)?;
        state.settings.half_precision &= half_is_available();
        let mut session = Self::new(model, state.settings)?;
        session.step = state.step;
        session.diverged_at = state.diverged_at;
        let file = TensorFile::open(bytes)?;
        let mut read = |part| -> Result<Vec<Bank>, SessionError> {
            let banks = session.adapters.banks().enumerate().map(|(index, bank)| {
                let [a, b] = names(index, part);
                Ok(Bank {
                    a: file.tensor(&a, bank.a.dims(), model.device())?,
                    b: file.tensor(&b, bank.b.dims(), model.device())?,
                })
            });
            banks.collect()
        };
        let [factors, first, second] = PARTS.map(&mut read);
        session
            .optimizer
            .restore(&mut session.adapters, &factors?, [first?, second?]);
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
            TensorFileError::Device(error) => Self::Device(error),
            other => wrong(other),
        }
    }
}
