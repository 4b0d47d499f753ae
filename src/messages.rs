//! What a worker and its page say to each other: plain data, no tensors and no JavaScript. Here stand the messages that only
//! the page gets or sends; settings and reports of other modules are said as they are there.
//!
//! `www/src/protocol.ts` is written from these types by the test at the end of this file.

mod failure;

use serde::{Deserialize, Serialize};

use crate::data::{DatasetStatistics, Detected};
use crate::kernel::ProductTable;
use crate::model::Target;
use crate::train::sweep::SweepResult;

/// Declares a message: serialisable, and known to TypeScript.
macro_rules! messages {
    ($($(#[$attribute:meta])* pub $kind:ident $name:ident $body:tt)*) => {
        $(
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
            #[cfg_attr(test, derive(ts_rs::TS))]
            $(#[$attribute])*
            pub $kind $name $body
        )*
    };
}

messages! {
    /// The engine a worker runs on.
    pub struct EngineReport {
        /// `cpu` or `webgpu`.
        pub engine: String,
        /// What computes: the adapter's name and driver, or the CPU engine's.
        pub description: String,
        /// Whether the adapter is a software one.
        pub fallback_adapter: bool,
        /// Largest single buffer, in bytes; 0 where there is no such limit.
        pub max_buffer_bytes: f64,
        /// How a GPU computes products of matrices; the CPU has one way.
        pub products: Option<ProductTable>,
    }

    /// How far a long action is.
    pub struct Progress {
        /// What is being done, in the user's words.
        pub action: String,
        /// Units done.
        pub done: f64,
        /// Units in all.
        pub total: f64,
    }

    /// Shape of one adaptable layer.
    pub struct TargetShape {
        /// Which layer of a block.
        pub target: Target,
        /// Channels in.
        pub inputs: u32,
        /// Channels out.
        pub outputs: u32,
    }

    /// A loaded base.
    pub struct ModelSummary {
        /// From the file.
        pub name: String,
        /// Its id on the Hugging Face hub, where it is known by the names of its files.
        pub base_id: Option<String>,
        /// Architecture, as HF's `model_type` names it: `llama` or `gpt2`.
        pub architecture: String,
        /// Weights.
        pub parameters: f64,
        /// Layers L.
        pub layers: u32,
        /// Channels C.
        pub hidden_size: u32,
        /// Vocabulary V.
        pub vocab_size: u32,
        /// Longest sequence in tokens.
        pub context_length: u32,
        /// Bytes of the files.
        pub file_bytes: f64,
        /// Bytes of the weights as they are held.
        pub memory_bytes: f64,
        /// Whether the tokenizer can render a chat.
        pub has_chat_template: bool,
        /// Layers of a block that can carry an adapter.
        pub targets: Vec<TargetShape>,
        /// What is to know of how the files were read, a sentence each.
        pub notices: Vec<String>,
    }

    /// A stretch of text that is one token.
    pub struct TokenPiece {
        /// The token's text; a token that is part of a character is shown as its replacement sign.
        pub text: String,
        /// Whether predicting it counts in the loss.
        pub counts: bool,
    }

    /// Data that is ready to train on.
    pub struct DataSummary {
        /// How the text was read, and why.
        pub detected: Detected,
        /// The same of a validation file.
        pub validation_detected: Option<Detected>,
        /// What the chat template writes before a conversation of its own accord, such as a system turn that is in no row.
        pub added_by_template: Option<String>,
        /// Sizes.
        pub statistics: DatasetStatistics,
        /// The first examples.
        pub preview: Vec<Vec<TokenPiece>>,
    }

    /// An adapter that runs start from.
    pub struct AdapterSummary {
        /// Rank r.
        pub rank: u32,
        /// Scale is alpha / rank, or alpha / √rank with `use_rslora`.
        pub alpha: f64,
        /// Whether its scale is rank-stabilised.
        pub use_rslora: bool,
        /// Layers that it adapts.
        pub targets: Vec<Target>,
        /// The base that it was made for, by its own words.
        pub base: Option<String>,
        /// Tensors of the file, each of which has found its place.
        pub tensors: u32,
        /// Blocks that it adapts.
        pub layers: u32,
        /// Blocks of the base.
        pub of_layers: u32,
        /// What was done to it or passed over, each in a sentence.
        pub notices: Vec<String>,
    }

    /// How a merged model will be written.
    pub struct MergedPlan {
        /// Pieces of `model.safetensors` after its header.
        pub pieces: u32,
        /// Bytes of all pieces.
        pub bytes: f64,
    }

    /// A piece of text that a run wrote.
    pub struct SamplePiece {
        /// Index of the run, in the order of the settings; the base is `None`.
        pub run: Option<u32>,
        /// What was added.
        pub text: String,
        /// Tokens that the run has written so far.
        pub tokens: u32,
        /// Whether the run has finished.
        pub done: bool,
    }

    /// A loaded text-to-image model.
    pub struct PictureModelSummary {
        /// What it is called.
        pub name: String,
        /// Weights.
        pub parameters: f64,
        /// Width and height of its pictures in pixels.
        pub image_size: u32,
        /// Words of a caption that it reads.
        pub caption_length: u32,
        /// Blocks of the text encoder.
        pub text_layers: u32,
        /// Blocks of the denoiser.
        pub denoiser_layers: u32,
        /// Channels C.
        pub hidden_size: u32,
        /// The words that it was pretrained with.
        pub words: Vec<String>,
        /// Bytes of the files.
        pub file_bytes: f64,
        /// Bytes of the weights as they are held.
        pub memory_bytes: f64,
        /// Layers of a block that can carry an adapter.
        pub targets: Vec<TargetShape>,
    }

    /// How pictures are trained on.
    #[serde(deny_unknown_fields)]
    pub struct PictureDataSettings {
        /// Share of the captions that are left out while training, so that the model also learns what pictures without
        /// caption look like.
        pub caption_dropout: f64,
    }

    /// A word of a caption.
    pub struct CaptionWord {
        /// The word, lower case.
        pub word: String,
        /// Whether the model was pretrained with it; it learns others from the pictures.
        pub known: bool,
        /// Whether it is among the first words, which the model reads.
        pub read: bool,
    }

    /// Pictures that are ready to train on.
    pub struct PictureDataSummary {
        /// Pictures to train on.
        pub train: u32,
        /// Pictures to validate with.
        pub validation: u32,
        /// The words of each caption.
        pub captions: Vec<Vec<CaptionWord>>,
        /// Groups of words that are new to the model and that it cannot tell apart.
        pub alike: Vec<Vec<String>>,
    }

    /// A sweep to sum up. Where it varies something else than the learning rate, that stands in the
    /// place of `lr`.
    pub struct SweepQuestion {
        /// Names of the methods.
        pub methods: Vec<String>,
        /// Validation loss before any step.
        pub base_loss: f64,
        /// What came out.
        pub results: Vec<SweepResult>,
    }

    /// Whose losses on which text.
    #[serde(deny_unknown_fields)]
    pub struct TokenLossSettings {
        /// The text; `None` takes a held-out example.
        pub text: Option<String>,
        /// Which held-out example; after the last comes the first.
        pub example: u32,
        /// Whether the base's losses are wanted too.
        pub include_base: bool,
    }

    /// Losses of one run on a text.
    pub struct LaneLosses {
        /// Index of the run, in the order of the settings; the base is `None`.
        pub run: Option<u32>,
        /// Cross entropy of each token given those before it, in nats; `None` for the first token,
        /// and where it is not finite.
        pub losses: Vec<Option<f64>>,
    }

    /// Losses token by token. Runs that have diverged are left out.
    pub struct TokenLossReport {
        /// The text; what counts in it is what would count in training.
        pub tokens: Vec<TokenPiece>,
        /// Tokens at its end that were left out, because the text is too long.
        pub left_out: u32,
        /// The base and the runs.
        pub lanes: Vec<LaneLosses>,
    }
}

/// An error as the page shows it: where it belongs, and what to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[error("{message}")]
pub struct Failure {
    /// Which part of the page it belongs to: `engine`, `model`, `data`, `settings`, `run`, `sample`, `draw`,
    /// `adapter`, `losses`, `theory`, `picture`.
    pub place: String,
    /// Name of the field, where it is about one; for a run `runs.INDEX.FIELD`.
    pub field: Option<String>,
    /// Cause and way out.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{
        Columns, ControlInText, DataSettings, DocumentBreak, Encoding, Format, LossOn, PromptStyle,
        SkipCount, SkipReason, SkippedRow, SkippedRows, Validation, known_roles,
        settings::DEFAULT_VALIDATION, statistics::LengthHistogram,
    };
    use crate::diffusion::draw::DrawSettings;
    use crate::generate::SampleSettings;
    use crate::kernel::{ProductChoice, ProductKind, ProductStrategy};
    use crate::model::architecture::ARCHITECTURES;
    use crate::optim::{
        DampingKind, Decay, LayerDiagnostics, Method, OptimizerSettings, Order, Place,
        PreconditionerSettings, Preset, RunDiagnostics, Schedule, TrainedFactors, UpdateRule,
        presets,
    };
    use crate::peft::Precision;
    use crate::theory::{
        TheoryMethod, TheoryProblem, TheoryProblemKind, TheoryStart,
        live::{TheoryCurve, TheoryRates, TheoryReport, TheorySettings},
        problem::TheoryGeometry,
    };
    use crate::train::{
        EvaluationReport, MemoryEstimate, RunReport, RunSettings, SessionSettings, StepReport,
        StepTimes,
        sweep::{CurvePoint, MethodSummary, SweepPoint, WidthBounds},
    };
    use ts_rs::{Config, TS};

    macro_rules! declarations {
        ($($message:ty),* $(,)?) => {{
            let config = Config::new();
            [$({
                let comment = <$message as TS>::docs().unwrap_or_default();
                format!("{comment}export {}\n", <$message as TS>::decl(&config))
            }),*].join("\n")
        }};
    }

    /// `UPDATE=1 cargo test protocol` writes the file anew.
    #[test]
    fn protocol_ts_is_written_from_these_types() {
        let header =
            "// Written by `UPDATE=1 cargo test protocol` from src/messages.rs; do not edit.\n\n";
        let body = declarations!(
            UpdateRule,
            TrainedFactors,
            Order,
            DampingKind,
            Place,
            PreconditionerSettings,
            Decay,
            Schedule,
            OptimizerSettings,
            Method,
            Preset,
            Format,
            Encoding,
            Columns,
            DocumentBreak,
            PromptStyle,
            LossOn,
            Validation,
            DataSettings,
            Detected,
            LengthHistogram,
            SkipReason,
            SkipCount,
            SkippedRow,
            SkippedRows,
            ControlInText,
            DatasetStatistics,
            EngineReport,
            ProductTable,
            ProductChoice,
            ProductKind,
            ProductStrategy,
            Progress,
            Target,
            TargetShape,
            ModelSummary,
            TokenPiece,
            DataSummary,
            RunSettings,
            SessionSettings,
            MemoryEstimate,
            LayerDiagnostics,
            RunDiagnostics,
            RunReport,
            StepTimes,
            StepReport,
            Precision,
            AdapterSummary,
            MergedPlan,
            EvaluationReport,
            SampleSettings,
            SamplePiece,
            SweepPoint,
            SweepResult,
            SweepQuestion,
            CurvePoint,
            WidthBounds,
            MethodSummary,
            TokenLossSettings,
            LaneLosses,
            TokenLossReport,
            PictureModelSummary,
            PictureDataSettings,
            CaptionWord,
            PictureDataSummary,
            DrawSettings,
            TheoryProblemKind,
            TheoryMethod,
            TheoryStart,
            TheoryProblem,
            TheoryGeometry,
            TheoryRates,
            TheorySettings,
            TheoryCurve,
            TheoryReport,
            Failure,
        );
        let presets = serde_json::to_string_pretty(&presets()).expect("presets are plain data");
        let presets = format!(
            "/** Hyper-parameters that are known to behave together. */\nexport const PRESETS: readonly Preset[] = {presets};\n"
        );
        let roles = serde_json::to_string_pretty(&known_roles()).expect("roles are plain data");
        let roles = format!(
            "/** Names in common use for who speaks in a conversation, and what chat templates call them. */\nexport const KNOWN_ROLES: Readonly<Record<string, string>> = {roles};\n"
        );
        let validation =
            serde_json::to_string_pretty(&DEFAULT_VALIDATION).expect("it is plain data");
        let validation = format!(
            "/** What is held out unless something else is asked for. */\nexport const DEFAULT_VALIDATION = {validation} satisfies Validation;\n"
        );
        let in_gguf = ARCHITECTURES
            .iter()
            .filter(|known| known.from_gguf.is_some());
        let known = serde_json::json!({
            "folder": ARCHITECTURES.map(|known| known.model_type),
            "gguf": in_gguf.map(|known| known.gguf_name).collect::<Vec<_>>(),
        });
        let known = serde_json::to_string_pretty(&known).expect("names are plain data");
        let known = format!(
            "/** The architectures of models that load, as `config.json` and GGUF files name them. */\nexport const ARCHITECTURES: Readonly<Record<'folder' | 'gguf', readonly string[]>> = {known};\n"
        );
        let written = format!("{header}{body}\n{presets}\n{roles}\n{validation}\n{known}");
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/www/src/protocol.ts");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &written).expect("www/src is writable");
        }
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            found == written,
            "{path} is out of date: UPDATE=1 cargo test protocol"
        );
    }
}
