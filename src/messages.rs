//! What a worker and its page say to each other: plain data, no tensors and no JavaScript.
//!
//! `www/src/protocol.ts` is written from these types by the test at the end of this file.

use serde::{Deserialize, Serialize};

use crate::data::{DatasetStatistics, Detected};
use crate::model::Target;
use crate::optim::OptimizerSettings;
use crate::theory::{Method, Settings as TheoryProblem, problem::Geometry};
use crate::train::sweep::SweepResult;

/// What a setting is where an older file does not have it.
fn yes() -> bool {
    true
}

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

    /// The faster way of an adapter with each kind of product of matrices.
    pub struct ProductTable {
        /// What was measured; a table of another version is of no use.
        pub version: u32,
        /// One for each kind.
        pub choices: Vec<ProductChoice>,
    }

    /// A way of computing products, and how long it and the other took when it was chosen.
    pub struct ProductChoice {
        /// Of which products.
        pub kind: ProductKind,
        /// The way that is taken.
        pub strategy: ProductStrategy,
        /// Seconds in tiles of registers; null where the adapter cannot.
        pub tiles_seconds: Option<f64>,
        /// Seconds of burn's own; null where the adapter cannot.
        pub burn_seconds: Option<f64>,
        /// Seconds in tiles with half precision; null where it is not for these products, or the adapter cannot.
        pub half_seconds: Option<f64>,
    }

    /// Products of matrices that are chosen for apart.
    #[derive(Copy, Eq)]
    #[serde(rename_all = "snake_case")]
    pub enum ProductKind {
        /// Activations by a wide weight as it lies, `x · Wᵀ`.
        Forward,
        /// Gradients by a wide weight, `g · W`.
        Backward,
        /// With a matrix of few rows or columns, as `lora_a` and `lora_b` are.
        Narrow,
    }

    /// Ways to compute products of matrices on a GPU.
    #[derive(Copy, Eq)]
    #[serde(rename_all = "snake_case")]
    pub enum ProductStrategy {
        /// In tiles of registers, read where the matrices lie.
        Tiles,
        /// burn's, staged in memory of the workgroup.
        Burn,
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
        /// Sizes.
        pub statistics: DatasetStatistics,
        /// The first examples.
        pub preview: Vec<Vec<TokenPiece>>,
    }

    /// One run.
    #[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
    pub struct RunSettings {
        /// What the user calls it.
        pub name: String,
        /// Its optimizer.
        pub optimizer: OptimizerSettings,
        /// Learning rate of the adapters of a text-to-image model's text encoder, where it is not that of the denoiser's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional = nullable))]
        pub text_lr: Option<f64>,
    }

    /// What all runs of a session share, and the runs.
    #[serde(deny_unknown_fields)]
    #[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
    pub struct SessionSettings {
        /// Rank r of the adapters.
        pub rank: u32,
        /// Scale of the adapters is alpha / rank.
        pub alpha: f64,
        /// Share of the adapter's inputs that are set to 0 while training.
        pub dropout: f64,
        /// Layers that carry an adapter.
        pub targets: Vec<Target>,
        /// Sequences a step.
        pub batch_size: u32,
        /// Sequences at once: a step adds up the gradients of so many sequences at a time, with the same result in less
        /// memory. 0 is all of the step's.
        #[serde(default)]
        pub micro_batch_size: u32,
        /// Whether blocks are computed a second time in the backward pass instead of kept: less memory for half as much
        /// time again, and the same result.
        #[serde(default)]
        pub gradient_checkpointing: bool,
        /// Whether wide weights are multiplied in half precision on the way forward, where a GPU can; sums, gradients and
        /// the optimizer stay in single.
        #[serde(default)]
        pub half_precision: bool,
        /// Steps in all; schedules end there.
        pub steps: u32,
        /// Seed of adapters, batches and dropout.
        pub seed: u32,
        /// The runs.
        pub runs: Vec<RunSettings>,
        /// Whether steps report norms, condition numbers and how far factors moved.
        #[serde(default = "yes")]
        pub diagnostics: bool,
    }

    /// Bytes that a session needs, before it is made.
    pub struct MemoryEstimate {
        /// Weights of the base.
        pub base: f64,
        /// Adapters, their gradients and the optimizer's moments.
        pub runs: f64,
        /// Activations kept for the backward pass, and the largest temporaries.
        pub activations: f64,
        /// Sum.
        pub total: f64,
        /// What this worker can have; 0 where unknown.
        pub limit: f64,
    }

    /// One run after one step.
    pub struct RunReport {
        /// Mean cross entropy over counted tokens, before this step's update; in nats.
        /// `None` where the run had diverged before.
        pub loss: Option<f64>,
        /// Global L2 norm of the raw gradients.
        pub grad_norm: Option<f64>,
        /// Learning rate of this step.
        pub lr: f64,
        /// The step at which its loss or gradient stopped being finite.
        pub diverged_at: Option<u32>,
        /// Norms and condition numbers; `None` where they are switched off or the run has diverged.
        pub diagnostics: Option<RunDiagnostics>,
    }

    /// What one step did to one run: factors before the update, as the loss is. `None` is a number
    /// that is not finite.
    pub struct RunDiagnostics {
        /// Frobenius norm of all `lora_a` together.
        pub norm_a: Option<f64>,
        /// Frobenius norm of all `lora_b` together.
        pub norm_b: Option<f64>,
        /// Frobenius norm of all ΔW = alpha / r · B · A together.
        pub norm_delta: Option<f64>,
        /// Condition number of BᵀB + δI, which preconditions A; the largest over all layers.
        pub condition_a: Option<f64>,
        /// Condition number of AAᵀ + δI, which preconditions B; the largest over all layers.
        pub condition_b: Option<f64>,
        /// Norm of the update over the norm of the factors.
        pub update_ratio: Option<f64>,
    }

    /// Where a step's time went, in seconds. On WebGPU the parts are those of the last step that was
    /// measured in parts, because a wait at the end of each part costs time.
    #[derive(Default)]
    pub struct StepTimes {
        /// Base and adapters to the losses, with the head's own gradient.
        pub forward: f64,
        /// Gradients of all factors.
        pub backward: f64,
        /// Clipping, Gram matrices, inverses and products with gradients.
        pub precondition: f64,
        /// Moments and factors.
        pub update: f64,
        /// All of it, with the read-back.
        pub total: f64,
    }

    /// All runs after one step.
    pub struct StepReport {
        /// Counts from 1.
        pub step: u32,
        /// In the order of the settings.
        pub runs: Vec<RunReport>,
        /// Tokens of the batch, padding included.
        pub tokens: u32,
        /// Tokens of the batch whose prediction counts.
        pub counted_tokens: u32,
        /// Seconds.
        pub seconds: StepTimes,
        /// Bytes that the worker holds.
        pub memory_bytes: f64,
    }

    /// An adapter that runs start from.
    pub struct AdapterSummary {
        /// Rank r.
        pub rank: u32,
        /// Scale is alpha / rank.
        pub alpha: f64,
        /// Layers that it adapts.
        pub targets: Vec<Target>,
        /// The base that it was made for, by its own words.
        pub base: Option<String>,
    }

    /// How a merged model will be written.
    pub struct MergedPlan {
        /// Pieces of `model.safetensors` after its header.
        pub pieces: u32,
        /// Bytes of all pieces.
        pub bytes: f64,
    }

    /// Losses on the held-out examples.
    pub struct EvaluationReport {
        /// Steps done before.
        pub step: u32,
        /// Mean cross entropy of each run; `None` where it is not finite.
        pub losses: Vec<Option<f64>>,
        /// Seconds that it took.
        pub seconds: f64,
    }

    /// What to write.
    #[serde(deny_unknown_fields)]
    pub struct SampleSettings {
        /// The user's words.
        pub prompt: String,
        /// Whether the prompt is a turn of a chat.
        pub chat: bool,
        /// Most tokens to write.
        pub max_tokens: u32,
        /// 0 is greedy.
        pub temperature: f64,
        /// Keep only the k likeliest tokens; 0 keeps all.
        pub top_k: u32,
        /// Keep the likeliest tokens that make up this share; 1 keeps all.
        pub top_p: f64,
        /// Seed of the choices.
        pub seed: u32,
        /// An answer ends before the first of these that would come in it.
        #[serde(default)]
        pub stop: Vec<String>,
        /// Whether the base answers too.
        pub include_base: bool,
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

    /// What to draw.
    #[serde(deny_unknown_fields)]
    pub struct DrawSettings {
        /// One picture each; picture i always begins with the same noise.
        pub captions: Vec<String>,
        /// Steps from noise to picture.
        pub steps: u32,
        /// How far the captions are followed; 1 is as they were learned.
        pub guidance: f64,
        /// Seed of the noise.
        pub seed: u32,
        /// Indices of the runs that draw.
        pub runs: Vec<u32>,
        /// Whether the base draws too.
        pub include_base: bool,
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

    /// Learning rates of the theory's methods.
    #[serde(deny_unknown_fields)]
    pub struct TheoryRates {
        /// Of gradient descent.
        pub gd: f64,
        /// Of scaled gradient descent.
        pub scaled_gd: f64,
        /// Of scaled gradient descent whose metric knows the data.
        pub data_scaled_gd: f64,
    }

    /// All methods on one problem of the theory.
    #[serde(deny_unknown_fields)]
    pub struct TheorySettings {
        /// The problem.
        pub problem: TheoryProblem,
        /// Each method's learning rate.
        pub lr: TheoryRates,
        /// Whether each method gets the learning rate of a grid with which it is fastest, in place of
        /// its own.
        pub best_of_grid: bool,
    }

    /// What is new of one method's curve.
    pub struct TheoryCurve {
        /// The method.
        pub method: Method,
        /// Its learning rate.
        pub lr: f64,
        /// Iterations of the new points.
        pub iterations: Vec<u32>,
        /// Relative errors there; not finite where it diverged.
        pub errors: Vec<f64>,
        /// Iterations to the target.
        pub arrived_at: Option<u32>,
        /// The iteration at which it diverged.
        pub diverged_at: Option<u32>,
        /// Relative distance of the changes from the planted ones now.
        pub recovery: f64,
        /// Whether it has ended.
        pub done: bool,
    }

    /// How far a problem of the theory is.
    pub struct TheoryReport {
        /// How hard the problem is.
        pub geometry: Geometry,
        /// Learning rates of the grid that were tried.
        pub rates_tried: u32,
        /// Learning rates of the grid for all methods; 0 where none is searched.
        pub rates_in_all: u32,
        /// One a method; none while learning rates are tried.
        pub curves: Vec<TheoryCurve>,
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
        Columns, DataSettings, DocumentBreak, Format, LossOn, PromptStyle, Validation,
        statistics::LengthHistogram,
    };
    use crate::optim::{
        DampingKind, Decay, Method as OptimizerMethod, Order, PreconditionerSettings, Preset,
        Schedule, TrainedFactors, UpdateRule, presets,
    };
    use crate::peft::Precision;
    use crate::theory::{ProblemKind, Start};
    use crate::train::sweep::{CurvePoint, MethodSummary, SweepPoint};
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
            PreconditionerSettings,
            Decay,
            Schedule,
            OptimizerSettings,
            OptimizerMethod,
            Preset,
            Format,
            Columns,
            DocumentBreak,
            PromptStyle,
            LossOn,
            Validation,
            DataSettings,
            Detected,
            LengthHistogram,
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
            MethodSummary,
            TokenLossSettings,
            LaneLosses,
            TokenLossReport,
            PictureModelSummary,
            PictureDataSettings,
            CaptionWord,
            PictureDataSummary,
            DrawSettings,
            ProblemKind,
            Method,
            Start,
            TheoryProblem,
            Geometry,
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
        let written = format!("{header}{body}\n{presets}");
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
