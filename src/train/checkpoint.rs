//! A session as bytes, and back: what a crashed worker resumes from.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Session, SessionError, SessionSettings, trainable::Trainable};
use crate::kernel::half_is_available;
use crate::model::Bank;
use crate::optim::OptimizerState;
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

/// Bytes of a SHA-256.
const DIGEST: usize = 32;

/// What the tensors of a bank are called.
const PARTS: [&str; 4] = ["", ".first_moment", SECOND_MOMENT, BASIS];
const SECOND_MOMENT: &str = ".second_moment";
const BASIS: &str = ".basis";
/// What the mean eigenvalues before the first step are called.
const INITIAL: &str = "initial_mean_eigenvalues";

/// Under these names tensors of bank `index` are kept: factors, first moments, second moments, bases of moments.
fn names(index: usize, part: &str) -> [String; 2] {
    ["lora_a", "lora_b"].map(|factor| format!("banks.{index}.{factor}{part}"))
}

impl Session {
    /// Adapters, optimizer state and position: a safetensors file, and behind it its SHA-256.
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
        let optimizer = self.optimizer.state();
        let banks: Vec<Bank> = self.adapters.banks().cloned().collect();
        let parts = [banks, optimizer.first, optimizer.second];
        let parts = parts.into_iter().chain(optimizer.bases);
        let tensors = PARTS.into_iter().zip(parts).flat_map(|(part, banks)| {
            let banks = banks.into_iter().enumerate();
            banks.flat_map(move |(index, bank)| {
                let [a, b] = names(index, part);
                [(a, bank.a), (b, bank.b)]
            })
        });
        let initial = optimizer.initial.map(|means| (INITIAL.to_owned(), means));
        let tensors = tensors.chain(initial);
        let mut bytes = tensor_file::write(tensors, (STATE, state)).await?;
        bytes.extend(Sha256::digest(&bytes));
        Ok(bytes)
    }

    /// The session that [`Session::checkpoint`] saved; its next steps are those that would have
    /// followed there. One in half precision goes on in single where the engine has no other.
    ///
    /// # Errors
    /// Bytes that are no checkpoint, are damaged, or are one of another base.
    pub fn resume<M: Trainable>(model: &M, bytes: &[u8]) -> Result<Self, SessionError> {
        let bytes = whole(bytes)?;
        let mut state = read_state(bytes)?;
        state.settings.half_precision &= half_is_available();
        let mut session = Self::new(model, state.settings)?;
        session.step = state.step;
        session.diverged_at = state.diverged_at;
        let file = TensorFile::open(bytes)?;
        let mut read = |part| -> Result<Vec<Bank>, SessionError> {
            let banks = session.adapters.banks().enumerate().map(|(index, bank)| {
                let [a, b] = names(index, part);
                check_values(&file, &a, part)?;
                check_values(&file, &b, part)?;
                Ok(Bank {
                    a: file.tensor(&a, bank.a.dims(), model.device())?,
                    b: file.tensor(&b, bank.b.dims(), model.device())?,
                })
            });
            banks.collect()
        };
        let [factors, first, second] = [PARTS[0], PARTS[1], SECOND_MOMENT].map(&mut read);
        let has = |name: &str| file.names().contains(&name);
        let bases = match has(&names(0, BASIS)[0]) {
            true => Some(read(BASIS)?),
            false => None,
        };
        let initial = match has(INITIAL) {
            true => {
                check_values(&file, INITIAL, INITIAL)?;
                let shape = [session.adapters.runs, 1, session.adapters.banks().count()];
                Some(file.tensor(INITIAL, shape, model.device())?)
            }
            false => None,
        };
        let state = OptimizerState {
            first: first?,
            second: second?,
            bases,
            initial,
        };
        session
            .optimizer
            .restore(&mut session.adapters, &factors?, state);
        Ok(session)
    }
}

/// Whether a training can have made all values: numbers, and no second moment below 0. The digest finds damage, but anybody can
/// write one.
fn check_values(file: &TensorFile<'_>, name: &str, part: &str) -> Result<(), SessionError> {
    let least = match part {
        SECOND_MOMENT | INITIAL => 0.0,
        _ => f32::MIN,
    };
    let (_, values) = file.floats(name)?;
    match values
        .iter()
        .find(|value| !(least..=f32::MAX).contains(value))
    {
        None => Ok(()),
        Some(value) => Err(wrong(format!(
            "its {name} has the value {value}, which no training makes; start the training again"
        ))),
    }
}

/// The safetensors file of a checkpoint whose digest is that of its content.
fn whole(bytes: &[u8]) -> Result<&[u8], SessionError> {
    let split = bytes.split_last_chunk::<DIGEST>();
    match split {
        Some((content, digest)) if Sha256::digest(content).as_slice() == digest => Ok(content),
        _ => Err(wrong(match tensor_file::read_metadata(bytes, STATE) {
            Ok(None) => "it holds no session; use a file that this page saved",
            Ok(Some(_)) => {
                "an older version saved it, without the checksum by which damage is found"
            }
            Err(_) => "it is damaged: its checksum is not that of its content",
        })),
    }
}

/// What a checkpoint says beside its tensors.
fn read_state(bytes: &[u8]) -> Result<State, SessionError> {
    let state = tensor_file::read_metadata(bytes, STATE)?
        .ok_or_else(|| wrong("it holds no session; use a file that this page saved"))?;
    let state: State = serde_json::from_str(&state).map_err(wrong)?;
    if state.diverged_at.len() != state.settings.runs.len() {
        return Err(wrong("it lists another number of runs than its settings"));
    }
    let steps = state.diverged_at.iter().flatten().chain([&state.step]);
    if let Some(step) = steps.copied().find(|step| *step > state.settings.steps) {
        let steps = state.settings.steps;
        return Err(wrong(format!("it is of step {step} of {steps}")));
    }
    Ok(state)
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
