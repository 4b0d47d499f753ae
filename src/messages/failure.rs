//! Every error of the library, in the page's words.

use super::Failure;
use crate::data::DataError;
use crate::diffusion::draw::DrawError;
use crate::engine::EngineError;
use crate::generate::GenerateError;
use crate::load::LoadError;
use crate::theory::TheoryError;
use crate::train::{NoAdapter, SessionError};

fn at(place: &str, field: Option<String>, error: impl ToString) -> Failure {
    Failure {
        place: place.into(),
        field,
        message: error.to_string(),
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        at("engine", None, error)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        at("model", None, error)
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        at("data", None, error)
    }
}

impl From<GenerateError> for Failure {
    fn from(error: GenerateError) -> Self {
        let place = match error {
            GenerateError::Device(_) => "engine",
            GenerateError::EmptyPrompt
            | GenerateError::PromptTooLong { .. }
            | GenerateError::Setting(_) => "sample",
        };
        at(place, None, error)
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        let place = match error {
            SessionError::Device(_) => "engine",
            SessionError::Setting { .. } | SessionError::Run { .. } => "settings",
            SessionError::TooLong(_) => "data",
            SessionError::NothingCounts
            | SessionError::Shard { .. }
            | SessionError::Shards { .. }
            | SessionError::NoSuchShard { .. }
            | SessionError::NoShard
            | SessionError::Checkpoint(_) => "run",
        };
        at(place, error.field(), error)
    }
}

impl From<NoAdapter> for Failure {
    fn from(error: NoAdapter) -> Self {
        at("adapter", None, error)
    }
}

impl From<DrawError> for Failure {
    fn from(error: DrawError) -> Self {
        at("draw", Some(error.field.into()), error)
    }
}

impl From<TheoryError> for Failure {
    fn from(error: TheoryError) -> Self {
        at("theory", Some(error.field().into()), error)
    }
}
