//! A session that starts from an adapter of the user's.

use super::{
    Session, SessionError, SessionSettings, settings::adapter_shape, trainable::Trainable,
};
use crate::model::Adapters;

impl Session {
    /// A session whose runs all start from run 0 of `start`.
    ///
    /// # Errors
    /// The first setting out of range, or one that is not the adapter's.
    pub fn starting_from<M: Trainable>(
        model: &M,
        settings: SessionSettings,
        start: &Adapters,
    ) -> Result<Self, SessionError> {
        model.validate(&settings)?;
        let (asked, given) = (adapter_shape(&settings), &start.shape);
        let differs = |field, value: &dyn ToString, given: &dyn ToString| {
            SessionError::setting(
                field,
                value.to_string(),
                format!(
                    "the adapter that all runs start from has {}; choose that, or remove the adapter",
                    given.to_string()
                ),
            )
        };
        if asked.rank != given.rank {
            return Err(differs("rank", &asked.rank, &given.rank));
        }
        if asked.alpha != given.alpha {
            return Err(differs("alpha", &asked.alpha, &given.alpha));
        }
        if asked.use_rslora != given.use_rslora {
            return Err(differs("use_rslora", &asked.use_rslora, &given.use_rslora));
        }
        if asked.targets != given.targets {
            let names = |adapters: &[crate::model::Target]| {
                let names: Vec<&str> = adapters.iter().map(|target| target.name()).collect();
                names.join(", ")
            };
            let (asked, given) = (names(&asked.targets), names(&given.targets));
            return Err(differs("targets", &asked, &given));
        }
        let runs = settings.runs.len();
        let adapters = start.run(0).repeated(runs);
        Ok(Self::with_adapters(model, settings, adapters))
    }
}
