// Written by `UPDATE=1 cargo test protocol` from src/messages.rs; do not edit.

/**
 * How an update is made from a (preconditioned) gradient.
 */
export type UpdateRule = "adamw" | "sgd" | "muon";

/**
 * Which factors a run trains.
 */
export type TrainedFactors = "both" | "b" | "alternating";

/**
 * Which factors the Gram matrix for B is made of.
 */
export type Order = "simultaneous" | "sequential";

/**
 * What `damping` is measured in.
 */
export type DampingKind = "absolute" | "relative" | "initial";

/**
 * What the preconditioner is applied to. Without moments it is all the same.
 */
export type Place = "gradient" | "update";

/**
 * The Riemannian preconditioner of one run.
 */
export type PreconditionerSettings = { 
/**
 * δ in (BᵀB + δI)⁻¹ and (AAᵀ + δI)⁻¹.
 */
damping: number, 
/**
 * What `damping` is measured in.
 */
damping_kind: DampingKind, 
/**
 * Which A the second Gram matrix sees.
 */
order: Order, 
/**
 * Divides by (alpha / r)², so that one learning rate moves ΔW equally at every alpha / r.
 */
scale_aware: boolean, 
/**
 * What is preconditioned; Muon, which is orthogonal in the preconditioner's metric, ignores it.
 */
place: Place, 
/**
 * Takes off half of what the steps of A and B both do to ΔW, so that they add up to the projection onto the tangent
 * space of matrices of rank r; Muon ignores it.
 */
tangent: boolean, 
/**
 * Carries the first moment of each factor over when the other, in which it is measured, has moved, as AltLoRA does
 * (arXiv 2505.12455). Only where gradients are preconditioned; Muon ignores it.
 */
realigns_momentum: boolean, };

/**
 * What happens after the warm-up.
 */
export type Decay = "constant" | "linear" | "cosine";

/**
 * Warm-up and decay.
 */
export type Schedule = { 
/**
 * Steps over which the rate rises from 0.
 */
warmup_steps: number, 
/**
 * Shape after the warm-up.
 */
decay: Decay, };

/**
 * All hyper-parameters of one run's optimizer.
 */
export type OptimizerSettings = { 
/**
 * How an update is made from a gradient.
 */
rule: UpdateRule, 
/**
 * Which factors are trained.
 */
trains: TrainedFactors, 
/**
 * `None` is the plain method.
 */
preconditioner: PreconditionerSettings | null, 
/**
 * Learning rate of A, and of B before `lr_ratio_b`.
 */
lr: number, 
/**
 * Learning rate of B over that of A; LoRA+ uses 16, everything else 1.
 */
lr_ratio_b: number, 
/**
 * Decay of AdamW's first and second moment; the other rules ignore it.
 */
betas: [number, number], 
/**
 * Added to the root of AdamW's second moment; the other rules ignore it.
 */
eps: number, 
/**
 * Momentum of SGD and Muon; AdamW ignores it.
 */
momentum: number, 
/**
 * Decoupled weight decay: factors shrink by `lr · weight_decay` before the update.
 */
weight_decay: number, 
/**
 * Largest global L2 norm of the raw gradients of all factors; `None` does not clip.
 */
max_grad_norm: number | null, 
/**
 * Longest step of a layer's A before weight decay, as a share of that A's norm; `None` does not shorten any. Scaled GD's
 * second step has no other bound: clipping comes before the preconditioner, which divides by σ² + δ of a B that was
 * 0 a step before.
 */
max_step_a: number | null, 
/**
 * Warm-up and decay of the learning rate.
 */
schedule: Schedule, };

/**
 * The methods that a run can be, by the names of their papers.
 */
export type Method = "adamw" | "scaled_adamw" | "sgd" | "scaled_gd" | "lora_plus" | "lora_fa" | "alt_lora" | "alt_lora_plus" | "muon" | "lora_muon";

/**
 * Settings of one run with a name. `lr` is a place to start from.
 */
export type Preset = { 
/**
 * Name in command lines and addresses.
 */
id: string, 
/**
 * What it is called beside its method.
 */
name: string, 
/**
 * Which method it is.
 */
method: Method, 
/**
 * What it is good for, in one sentence.
 */
about: string, 
/**
 * The settings.
 */
optimizer: OptimizerSettings, 
/**
 * Steps that the warm-up is meant for: a shorter run warms up for the same share of its steps.
 */
schedule_steps: number | null, };

/**
 * What a data file looks like.
 */
export type Format = "text" | "pairs" | "json_lines" | "table";

/**
 * How letters are written as bytes.
 */
export type Encoding = "utf8" | "utf16_little_endian" | "utf16_big_endian" | "windows1252";

/**
 * Names of the fields that make a pair.
 */
export type Columns = { 
/**
 * Fields of the prompt, joined by line ends; an empty or missing one but the first is left out.
 */
prompt: Array<string>, 
/**
 * Field of the completion.
 */
completion: string, };

/**
 * Where documents of plain text end.
 */
export type DocumentBreak = "file" | "blank_line";

/**
 * How a pair is written for the model.
 */
export type PromptStyle = "plain" | "chat";

/**
 * Which tokens are labels.
 */
export type LossOn = "completion" | "all";

/**
 * Which examples are kept out of training to measure the loss on.
 */
export type Validation = "none" | { "share": number } | { "count": number } | { "at_most": { 
/**
 * The share.
 */
share: number, 
/**
 * The count.
 */
count: number, } };

/**
 * How a file becomes training and validation examples. Missing fields have the defaults.
 */
export type DataSettings = { 
/**
 * Format of the files; detected where `None`.
 */
format: Format | null, 
/**
 * How the letters of the files are written, where no byte order mark says it; UTF-8 where `None`.
 */
encoding: Encoding | null, 
/**
 * Fields of the pair in JSON and tables; guessed where `None`.
 */
columns: Columns | null, 
/**
 * What the names of those who speak in conversations are to the chat template, which knows system, user, assistant
 * and perhaps tool. Names that are not here are handed to it as they are.
 */
roles: { [key in string]: string }, 
/**
 * Where documents of plain text end.
 */
documents: DocumentBreak, 
/**
 * How a pair is written for the model.
 */
prompt_style: PromptStyle, 
/**
 * What stands between prompt and completion of a plain pair.
 */
separator: string, 
/**
 * Which tokens are labels.
 */
loss_on: LossOn, 
/**
 * Most tokens of an example; what is longer is cut at the end. Plain text is cut into windows of so many.
 */
sequence_length: number, 
/**
 * Which examples are kept out of training. A separate validation file takes the place of this.
 */
validation: Validation, 
/**
 * Most examples that are made of each file, from its beginning; all where `None`.
 */
maximum_examples: number | null, 
/**
 * Seed of the split and of the order of training.
 */
seed: number, };

/**
 * A format and what gave it away.
 */
export type Detected = { 
/**
 * The format.
 */
format: Format, 
/**
 * Why, in a few words for the user.
 */
reason: string, 
/**
 * How its letters are written.
 */
encoding: Encoding, 
/**
 * What stands between the fields of a table.
 */
separator: string | null, 
/**
 * How the rows of a JSON file are put together, in words.
 */
arranged: string | null, 
/**
 * The columns of the first pair, where pairs have names.
 */
columns: Columns | null, };

/**
 * How many examples have which length.
 */
export type LengthHistogram = { 
/**
 * Width of a bar in tokens: bar i counts lengths above i · width, up to (i + 1) · width.
 */
width: number, 
/**
 * Examples of each bar; the last bar counts all that are longer than the sequence length.
 */
examples: Array<number>, };

/**
 * Why a row is left out.
 */
export type SkipReason = "unreadable" | "field" | "no_answer" | "empty_answer" | "template" | "tokenizer" | "too_large";

/**
 * How many rows were left out for one reason.
 */
export type SkipCount = { 
/**
 * The reason.
 */
reason: SkipReason, 
/**
 * Rows.
 */
rows: number, };

/**
 * One row that was left out.
 */
export type SkippedRow = { 
/**
 * File name as the user knows it.
 */
file: string, 
/**
 * Line where the row begins, counted from 1.
 */
line: number, 
/**
 * What is wrong, and what would help.
 */
problem: string, };

/**
 * All rows of a data set that were left out.
 */
export type SkippedRows = { 
/**
 * How many for which reason, in the order in which the reasons were met.
 */
counts: Array<SkipCount>, 
/**
 * The first of them.
 */
first: Array<SkippedRow>, };

/**
 * Control tokens that stand in the text of a file.
 */
export type ControlInText = { 
/**
 * How many rows have one.
 */
rows: number, 
/**
 * Line of the first such row, counted from 1.
 */
line: number, 
/**
 * The token, as it is written.
 */
token: string, };

/**
 * Sizes of a data set.
 */
export type DatasetStatistics = { 
/**
 * Examples to train on.
 */
train_examples: number, 
/**
 * Examples that are kept out.
 */
validation_examples: number, 
/**
 * Tokens of the training examples, after cutting.
 */
train_tokens: number, 
/**
 * Tokens of the training examples that count in the loss, after cutting.
 */
train_counted_tokens: number, 
/**
 * Tokens of the validation examples, after cutting.
 */
validation_tokens: number, 
/**
 * Tokens of the validation examples that count in the loss, after cutting.
 */
validation_counted_tokens: number, 
/**
 * Tokens of the longest example, before cutting; dropped ones included.
 */
longest: number, 
/**
 * Tokens of a length into which 95 % of the examples fit, before cutting; dropped ones included.
 */
length_95: number, 
/**
 * Examples that were cut to the sequence length and kept.
 */
truncated: number, 
/**
 * Examples that were left out because nothing of a completion fits into the sequence length.
 */
dropped: number, 
/**
 * Rows that nothing is learned from.
 */
skipped: SkippedRows, 
/**
 * Rows in which somebody wrote out a control token, which is trained as the text that it is.
 */
control_in_text: ControlInText, 
/**
 * Whether no prompt of the validation examples is also trained on. Not looked at for a separate validation file.
 */
prompts_kept_apart: boolean, 
/**
 * How many examples have which length before cutting.
 */
lengths: LengthHistogram, };

/**
 * The engine a worker runs on.
 */
export type EngineReport = { 
/**
 * `cpu` or `webgpu`.
 */
engine: string, 
/**
 * What computes: the adapter's name and driver, or the CPU engine's.
 */
description: string, 
/**
 * Whether the adapter is a software one.
 */
fallback_adapter: boolean, 
/**
 * Largest single buffer, in bytes; 0 where there is no such limit.
 */
max_buffer_bytes: number, 
/**
 * How a GPU computes products of matrices; the CPU has one way.
 */
products: ProductTable | null, };

/**
 * The faster way of an adapter with each kind of product of matrices.
 */
export type ProductTable = { 
/**
 * What was measured; a table of another version is of no use.
 */
version: number, 
/**
 * One for each kind.
 */
choices: Array<ProductChoice>, };

/**
 * A way of computing products, and how long it and the other took when it was chosen.
 */
export type ProductChoice = { 
/**
 * Of which products.
 */
kind: ProductKind, 
/**
 * The way that is taken.
 */
strategy: ProductStrategy, 
/**
 * Seconds in tiles of registers; null where the adapter cannot.
 */
tiles_seconds: number | null, 
/**
 * Seconds of burn's own; null where the adapter cannot.
 */
burn_seconds: number | null, 
/**
 * Seconds in tiles with half precision; null where it is not for these products, or the adapter cannot.
 */
half_seconds: number | null, };

/**
 * Products of matrices that are chosen for apart.
 */
export type ProductKind = "forward" | "backward" | "narrow";

/**
 * Ways to compute products of matrices on a GPU.
 */
export type ProductStrategy = "tiles" | "burn";

/**
 * How far a long action is.
 */
export type Progress = { 
/**
 * What is being done, in the user's words.
 */
action: string, 
/**
 * Units done.
 */
done: number, 
/**
 * Units in all.
 */
total: number, };

/**
 * One linear layer of a block, or a part of one.
 *
 * Llama's names serve GPT-2 as well: there, queries, keys and values are parts of the fused layer
 * `c_attn`, and each part can carry an adapter of its own, which is then preconditioned on its own.
 */
export type Target = "q_proj" | "k_proj" | "v_proj" | "o_proj" | "gate_proj" | "up_proj" | "down_proj" | "c_attn" | "qkv_proj" | "gate_up_proj" | "query_key_value" | "dense" | "dense_h_to_4h" | "dense_4h_to_h";

/**
 * Shape of one adaptable layer.
 */
export type TargetShape = { 
/**
 * Which layer of a block.
 */
target: Target, 
/**
 * Channels in.
 */
inputs: number, 
/**
 * Channels out.
 */
outputs: number, };

/**
 * A loaded base.
 */
export type ModelSummary = { 
/**
 * From the file.
 */
name: string, 
/**
 * Its id on the Hugging Face hub, where it is known by the names of its files.
 */
base_id: string | null, 
/**
 * Architecture, as HF's `model_type` names it: `llama` or `gpt2`.
 */
architecture: string, 
/**
 * Weights.
 */
parameters: number, 
/**
 * Layers L.
 */
layers: number, 
/**
 * Channels C.
 */
hidden_size: number, 
/**
 * Vocabulary V.
 */
vocab_size: number, 
/**
 * Longest sequence in tokens.
 */
context_length: number, 
/**
 * Bytes of the files.
 */
file_bytes: number, 
/**
 * Bytes of the weights as they are held.
 */
memory_bytes: number, 
/**
 * Whether the tokenizer can render a chat.
 */
has_chat_template: boolean, 
/**
 * Layers of a block that can carry an adapter.
 */
targets: Array<TargetShape>, 
/**
 * What is to know of how the files were read, a sentence each.
 */
notices: Array<string>, };

/**
 * A stretch of text that is one token.
 */
export type TokenPiece = { 
/**
 * The token's text; a token that is part of a character is shown as its replacement sign.
 */
text: string, 
/**
 * Whether predicting it counts in the loss.
 */
counts: boolean, };

/**
 * Data that is ready to train on.
 */
export type DataSummary = { 
/**
 * How the text was read, and why.
 */
detected: Detected, 
/**
 * The same of a validation file.
 */
validation_detected: Detected | null, 
/**
 * What the chat template writes before a conversation of its own accord, such as a system turn that is in no row.
 */
added_by_template: string | null, 
/**
 * Sizes.
 */
statistics: DatasetStatistics, 
/**
 * The first examples.
 */
preview: Array<Array<TokenPiece>>, };

/**
 * One run.
 */
export type RunSettings = { 
/**
 * What the user calls it.
 */
name: string, 
/**
 * Its optimizer.
 */
optimizer: OptimizerSettings, 
/**
 * Learning rate of the adapters of a text-to-image model's text encoder, where it is not that of the denoiser's.
 */
text_lr?: number | null, };

/**
 * What all runs of a session share, and the runs.
 */
export type SessionSettings = { 
/**
 * Rank r of the adapters.
 */
rank: number, 
/**
 * Scale of the adapters is alpha / rank, or alpha / √rank with use_rslora.
 */
alpha: number, 
/**
 * Whether the scale of the adapters is alpha / √rank (rank-stabilised LoRA, arXiv 2312.03732), as PEFT's setting of
 * this name.
 */
use_rslora: boolean, 
/**
 * Share of the adapter's inputs that are set to 0 while training.
 */
dropout: number, 
/**
 * Layers that carry an adapter.
 */
targets: Array<Target>, 
/**
 * Sequences a step.
 */
batch_size: number, 
/**
 * Sequences at once: a step adds up the gradients of so many sequences at a time, with the same result in less
 * memory. 0 is all of the step's.
 */
micro_batch_size: number, 
/**
 * Whether blocks are computed a second time in the backward pass instead of kept: less memory for half as much
 * time again, and the same result.
 */
gradient_checkpointing: boolean, 
/**
 * Whether wide weights are multiplied in half precision on the way forward, where a GPU can; sums, gradients and
 * the optimizer stay in single.
 */
half_precision: boolean, 
/**
 * Steps in all; schedules end there.
 */
steps: number, 
/**
 * Seed of adapters, batches and dropout.
 */
seed: number, 
/**
 * The runs.
 */
runs: Array<RunSettings>, 
/**
 * Whether steps report norms, condition numbers and how far factors moved.
 */
diagnostics: boolean, 
/**
 * Whether they also report these of each adapted layer; only where `diagnostics` is on.
 */
layer_diagnostics: boolean, };

/**
 * Bytes that a session needs, before it is made.
 */
export type MemoryEstimate = { 
/**
 * Weights of the base.
 */
base: number, 
/**
 * What else lies there before training: tokenizer, data and the module; 0 of a GPU's memory, where they do not lie.
 */
texts: number, 
/**
 * Adapters, their gradients and the optimizer's moments.
 */
runs: number, 
/**
 * Activations kept for the backward pass, and the largest temporaries.
 */
activations: number, 
/**
 * Sum.
 */
total: number, 
/**
 * What this worker can have; 0 where unknown.
 */
limit: number, };

/**
 * What one step found in each adapted layer of one run, before the update: block by block, in a block in the order of
 * the targets. `None` is a number that is not finite. δ is the run's own, for a plain run the paper's 1e-6.
 */
export type LayerDiagnostics = { 
/**
 * Frobenius norm of `lora_a`.
 */
norm_a: Array<number | null>, 
/**
 * Frobenius norm of `lora_b`.
 */
norm_b: Array<number | null>, 
/**
 * Frobenius norm of ΔW.
 */
norm_delta: Array<number | null>, 
/**
 * Condition number of BᵀB + δI, which preconditions A.
 */
condition_a: Array<number | null>, 
/**
 * Condition number of AAᵀ + δI, which preconditions B.
 */
condition_b: Array<number | null>, 
/**
 * Mean of σ² / (σ² + δ) over the singular values σ of `lora_b`: how much of the full-matrix step A's preconditioned
 * step makes. 0 while B is 0, near 1 where δ is too small to count.
 */
undamped_a: Array<number | null>, 
/**
 * ln det(AAᵀ + δI) - ln det(BᵀB + δI), which scaled gradient descent without weight decay conserves in the limit of
 * small steps, whatever the loss: along Ȧ = -(BᵀB + δI)⁻¹ Bᵀ G and Ḃ = -G Aᵀ (AAᵀ + δI)⁻¹ both terms change by
 * -2 tr((AAᵀ + δI)⁻¹ (BᵀB + δI)⁻¹ Bᵀ G Aᵀ).
 */
log_det_ratio: Array<number | null>, };

/**
 * What one step did to one run: factors before the update, as the loss is. `None` is a number
 * that is not finite.
 */
export type RunDiagnostics = { 
/**
 * Frobenius norm of all `lora_a` together.
 */
norm_a: number | null, 
/**
 * Frobenius norm of all `lora_b` together.
 */
norm_b: number | null, 
/**
 * Frobenius norm of all ΔW = alpha / r · B · A together.
 */
norm_delta: number | null, 
/**
 * Condition number of BᵀB + δI, which preconditions A; the largest over all layers.
 */
condition_a: number | null, 
/**
 * Condition number of AAᵀ + δI, which preconditions B; the largest over all layers.
 */
condition_b: number | null, 
/**
 * Norm of the update over the norm of the factors.
 */
update_ratio: number | null, 
/**
 * Mean over layers of ln det(AAᵀ + δI) - ln det(BᵀB + δI), see [`LayerDiagnostics`]; `None` where layers are not
 * measured.
 */
log_det_ratio: number | null, 
/**
 * Each layer's own; `None` where that was not asked for.
 */
layers: LayerDiagnostics | null, };

/**
 * One run after one step.
 */
export type RunReport = { 
/**
 * Mean cross entropy over counted tokens, before this step's update; in nats.
 * `None` where the run had diverged before.
 */
loss: number | null, 
/**
 * Global L2 norm of the raw gradients.
 */
grad_norm: number | null, 
/**
 * Learning rate of this step.
 */
lr: number, 
/**
 * The step at which its loss or gradient stopped being finite.
 */
diverged_at: number | null, 
/**
 * Norms and condition numbers; `None` where they are switched off or the run has diverged.
 */
diagnostics: RunDiagnostics | null, };

/**
 * Where a step's time went, in seconds. On WebGPU the parts are those of the last step that was
 * measured in parts, because a wait at the end of each part costs time.
 */
export type StepTimes = { 
/**
 * Base and adapters to the losses, with the head's own gradient.
 */
forward: number, 
/**
 * Gradients of all factors.
 */
backward: number, 
/**
 * Clipping, Gram matrices, inverses and products with gradients.
 */
precondition: number, 
/**
 * Moments and factors.
 */
update: number, 
/**
 * All of it, with the read-back.
 */
total: number, };

/**
 * All runs after one step.
 */
export type StepReport = { 
/**
 * Counts from 1.
 */
step: number, 
/**
 * In the order of the settings.
 */
runs: Array<RunReport>, 
/**
 * Tokens of the batch that are computed: those that a label which counts depends on.
 */
tokens: number, 
/**
 * Tokens of the batch whose prediction counts.
 */
counted_tokens: number, 
/**
 * Seconds.
 */
seconds: StepTimes, 
/**
 * Bytes that the worker holds.
 */
memory_bytes: number, };

/**
 * A floating-point type of a file.
 */
export type Precision = "f32" | "f16" | "bf16";

/**
 * An adapter that runs start from.
 */
export type AdapterSummary = { 
/**
 * Rank r.
 */
rank: number, 
/**
 * Scale is alpha / rank, or alpha / √rank with `use_rslora`.
 */
alpha: number, 
/**
 * Whether its scale is rank-stabilised.
 */
use_rslora: boolean, 
/**
 * Layers that it adapts.
 */
targets: Array<Target>, 
/**
 * The base that it was made for, by its own words.
 */
base: string | null, 
/**
 * Tensors of the file, each of which has found its place.
 */
tensors: number, 
/**
 * Blocks that it adapts.
 */
layers: number, 
/**
 * Blocks of the base.
 */
of_layers: number, 
/**
 * What was done to it or passed over, each in a sentence.
 */
notices: Array<string>, };

/**
 * How a merged model will be written.
 */
export type MergedPlan = { 
/**
 * Pieces of `model.safetensors` after its header.
 */
pieces: number, 
/**
 * Bytes of all pieces.
 */
bytes: number, };

/**
 * Losses on the held-out examples.
 */
export type EvaluationReport = { 
/**
 * Steps done before.
 */
step: number, 
/**
 * Mean cross entropy of each run; `None` where it is not finite.
 */
losses: Array<number | null>, 
/**
 * Seconds that it took.
 */
seconds: number, };

/**
 * What to write.
 */
export type SampleSettings = { 
/**
 * The user's words.
 */
prompt: string, 
/**
 * Whether the prompt is a turn of a chat.
 */
chat: boolean, 
/**
 * Most tokens to write.
 */
max_tokens: number, 
/**
 * 0 is greedy.
 */
temperature: number, 
/**
 * Keep only the k likeliest tokens; 0 keeps all.
 */
top_k: number, 
/**
 * Keep the likeliest tokens that make up this share; 1 keeps all.
 */
top_p: number, 
/**
 * Seed of the choices.
 */
seed: number, 
/**
 * An answer ends before the first of these that would come in it.
 */
stop: Array<string>, 
/**
 * Whether the base answers too.
 */
include_base: boolean, };

/**
 * A piece of text that a run wrote.
 */
export type SamplePiece = { 
/**
 * Index of the run, in the order of the settings; the base is `None`.
 */
run: number | null, 
/**
 * What was added.
 */
text: string, 
/**
 * Tokens that the run has written so far.
 */
tokens: number, 
/**
 * Whether the run has finished.
 */
done: boolean, };

/**
 * One run of a sweep.
 */
export type SweepPoint = { 
/**
 * Name of the method.
 */
method: string, 
/**
 * Learning rate.
 */
lr: number, 
/**
 * Seed of adapters, batches and dropout.
 */
seed: number, };

/**
 * What became of one run.
 */
export type SweepResult = { 
/**
 * Validation loss after the last step; `None` where the run has diverged.
 */
validation_loss: number | null, 
/**
 * The step at which its loss or gradient stopped being finite.
 */
diverged_at: number | null, 
/**
 * Training loss of every step; ends where the run diverged.
 */
losses: Array<number>, 
/**
 * Name of the method.
 */
method: string, 
/**
 * Learning rate.
 */
lr: number, 
/**
 * Seed of adapters, batches and dropout.
 */
seed: number, };

/**
 * A sweep to sum up. Where it varies something else than the learning rate, that stands in the
 * place of `lr`.
 */
export type SweepQuestion = { 
/**
 * Names of the methods.
 */
methods: Array<string>, 
/**
 * Validation loss before any step.
 */
base_loss: number, 
/**
 * What came out.
 */
results: Array<SweepResult>, };

/**
 * One learning rate of a method.
 */
export type CurvePoint = { 
/**
 * Learning rate.
 */
lr: number, 
/**
 * Mean over seeds; `None` where one diverged.
 */
loss: number | null, 
/**
 * Validation loss of each seed.
 */
seeds: Array<number | null>, };

/**
 * Decades of learning rates between which the true width of a good range lies.
 *
 * A learning rate that is tried between others brings the bounds nearer to each other and never
 * apart, as long as the best stays the best; an interpolated width may jump.
 */
export type WidthBounds = { 
/**
 * Between the outermost good learning rates that were tried.
 */
least: number, 
/**
 * Between their neighbours, which are not good; `None` where the grid ends before one.
 */
most: number | null, };

/**
 * How a method did over its learning rates.
 */
export type MethodSummary = { 
/**
 * Lowest mean validation loss; `None` where all diverged.
 */
best_loss: number | null, 
/**
 * Its learning rate.
 */
best_lr: number | null, 
/**
 * Decades of learning rates within [`TOLERANCE`] of its own best.
 */
width_own_decades: number, 
/**
 * Decades of learning rates within [`TOLERANCE`] of the best of all methods.
 */
width_overall_decades: number, 
/**
 * What the tried learning rates prove of `width_own_decades`.
 */
width_own: WidthBounds, 
/**
 * What they prove of `width_overall_decades`.
 */
width_overall: WidthBounds, 
/**
 * Runs whose loss stopped being finite.
 */
diverged: number, 
/**
 * Runs that ended above the loss of the base they started from, diverged ones not counted.
 */
worse_than_base: number, 
/**
 * Whether the best learning rate is the first or last of the grid, so that a better one may lie
 * outside.
 */
best_at_edge: boolean, 
/**
 * Learning rate, mean validation loss over seeds, seeds.
 */
curve: Array<CurvePoint>, };

/**
 * Whose losses on which text.
 */
export type TokenLossSettings = { 
/**
 * The text; `None` takes a held-out example.
 */
text: string | null, 
/**
 * Which held-out example; after the last comes the first.
 */
example: number, 
/**
 * Whether the base's losses are wanted too.
 */
include_base: boolean, };

/**
 * Losses of one run on a text.
 */
export type LaneLosses = { 
/**
 * Index of the run, in the order of the settings; the base is `None`.
 */
run: number | null, 
/**
 * Cross entropy of each token given those before it, in nats; `None` for the first token,
 * and where it is not finite.
 */
losses: Array<number | null>, };

/**
 * Losses token by token. Runs that have diverged are left out.
 */
export type TokenLossReport = { 
/**
 * The text; what counts in it is what would count in training.
 */
tokens: Array<TokenPiece>, 
/**
 * Tokens at its end that were left out, because the text is too long.
 */
left_out: number, 
/**
 * The base and the runs.
 */
lanes: Array<LaneLosses>, };

/**
 * A loaded text-to-image model.
 */
export type PictureModelSummary = { 
/**
 * What it is called.
 */
name: string, 
/**
 * Weights.
 */
parameters: number, 
/**
 * Width and height of its pictures in pixels.
 */
image_size: number, 
/**
 * Words of a caption that it reads.
 */
caption_length: number, 
/**
 * Blocks of the text encoder.
 */
text_layers: number, 
/**
 * Blocks of the denoiser.
 */
denoiser_layers: number, 
/**
 * Channels C.
 */
hidden_size: number, 
/**
 * The words that it was pretrained with.
 */
words: Array<string>, 
/**
 * Bytes of the files.
 */
file_bytes: number, 
/**
 * Bytes of the weights as they are held.
 */
memory_bytes: number, 
/**
 * Layers of a block that can carry an adapter.
 */
targets: Array<TargetShape>, };

/**
 * How pictures are trained on.
 */
export type PictureDataSettings = { 
/**
 * Share of the captions that are left out while training, so that the model also learns what pictures without
 * caption look like.
 */
caption_dropout: number, };

/**
 * A word of a caption.
 */
export type CaptionWord = { 
/**
 * The word, lower case.
 */
word: string, 
/**
 * Whether the model was pretrained with it; it learns others from the pictures.
 */
known: boolean, 
/**
 * Whether it is among the first words, which the model reads.
 */
read: boolean, };

/**
 * Pictures that are ready to train on.
 */
export type PictureDataSummary = { 
/**
 * Pictures to train on.
 */
train: number, 
/**
 * Pictures to validate with.
 */
validation: number, 
/**
 * The words of each caption.
 */
captions: Array<Array<CaptionWord>>, 
/**
 * Groups of words that are new to the model and that it cannot tell apart.
 */
alike: Array<Array<string>>, };

/**
 * What to draw.
 */
export type DrawSettings = { 
/**
 * One picture each; picture i always begins with the same noise.
 */
captions: Array<string>, 
/**
 * Steps from noise to picture.
 */
steps: number, 
/**
 * How far the captions are followed; 1 is as they were learned.
 */
guidance: number, 
/**
 * Seed of the noise.
 */
seed: number, 
/**
 * Indices of the runs that draw.
 */
runs: Array<number>, 
/**
 * Whether the base draws too.
 */
include_base: boolean, };

/**
 * Which problem is solved.
 */
export type TheoryProblemKind = "low_rank_recovery" | "two_layer_relu" | "disjoint_patterns";

/**
 * How the factors are trained.
 */
export type TheoryMethod = "gd" | "scaled_gd" | "data_scaled_gd" | "tangent_gd";

/**
 * Where the factors start.
 */
export type TheoryStart = "lora" | "spectral";

/**
 * One problem.
 */
export type TheoryProblem = { 
/**
 * Which problem.
 */
problem: TheoryProblemKind, 
/**
 * Largest over smallest singular value of the planted changes, 1 to 1000.
 */
planted_condition: number, 
/**
 * Largest over smallest singular value of X (of its blocks, where patterns are disjoint), 1 to 1000.
 */
data_condition: number, 
/**
 * Rank r of the planted changes and of the adapters, 2 to 10. At rank 1 there would be no
 * condition number to plant.
 */
rank: number, 
/**
 * Where the factors start.
 */
start: TheoryStart, 
/**
 * Condition number of R, 1 to 1000: methods start from B R and R⁻¹ A, the same product in other factors.
 */
factor_condition: number, 
/**
 * δ of the metrics, above 0.
 */
damping: number, 
/**
 * Seed of data, patterns, planted changes and start.
 */
seed: number, };

/**
 * What the paper's Assumption 7.2 speaks of, and what the rate really depends on.
 */
export type TheoryGeometry = { 
/**
 * Condition number of the planted changes, by singular value decomposition.
 */
planted_condition: number, 
/**
 * Condition number of X.
 */
data_condition: number, 
/**
 * Largest condition number of a block Xᵢ.
 */
block_condition: number, 
/**
 * Condition number of all blocks side by side, [n, P·d].
 */
stacked_condition: number, 
/**
 * The smallest constant with which all blocks have the restricted isometry property, after the
 * best common scale: (κ² − 1) / (κ² + 1) at rank 1 and at every rank, because a block acts on
 * each column of a matrix alone.
 */
isometry_constant: number, 
/**
 * Largest spectral norm of XᵢᵀXⱼ, i ≠ j, at that scale.
 */
overlap: number, 
/**
 * What Assumption 7.2 allows for it, whatever the changes are: 0.12 / (7 P (P + 1)).
 */
allowed_overlap: number, };

/**
 * Learning rates of the theory's methods.
 */
export type TheoryRates = { 
/**
 * Of gradient descent.
 */
gd: number, 
/**
 * Of scaled gradient descent.
 */
scaled_gd: number, 
/**
 * Of scaled gradient descent whose metric knows the data.
 */
data_scaled_gd: number, 
/**
 * Of scaled gradient descent on the tangent space.
 */
tangent_gd: number, };

/**
 * All methods on one problem of the theory.
 */
export type TheorySettings = { 
/**
 * The problem.
 */
problem: TheoryProblem, 
/**
 * Each method's learning rate.
 */
lr: TheoryRates, 
/**
 * Whether each method gets the learning rate of a grid with which it is fastest, in place of
 * its own.
 */
best_of_grid: boolean, };

/**
 * What is new of one method's curve.
 */
export type TheoryCurve = { 
/**
 * The method.
 */
method: TheoryMethod, 
/**
 * Its learning rate.
 */
lr: number, 
/**
 * Iterations of the new points.
 */
iterations: Array<number>, 
/**
 * Relative errors there; not finite where it diverged.
 */
errors: Array<number>, 
/**
 * Iterations to the target.
 */
arrived_at: number | null, 
/**
 * The iteration at which it diverged.
 */
diverged_at: number | null, 
/**
 * Relative distance of the changes from the planted ones now.
 */
recovery: number, 
/**
 * How far what the flow of scaled GD conserves is from what it was; see [`Descent::departure`].
 */
departure: number, 
/**
 * Whether it has ended.
 */
done: boolean, };

/**
 * How far a problem of the theory is.
 */
export type TheoryReport = { 
/**
 * How hard the problem is.
 */
geometry: TheoryGeometry, 
/**
 * Learning rates of the grid that were tried.
 */
rates_tried: number, 
/**
 * Learning rates of the grid for all methods; 0 where none is searched.
 */
rates_in_all: number, 
/**
 * One a method; none while learning rates are tried.
 */
curves: Array<TheoryCurve>, };

/**
 * An error as the page shows it: where it belongs, and what to do.
 */
export type Failure = { 
/**
 * Which part of the page it belongs to: `engine`, `model`, `data`, `settings`, `run`, `sample`, `draw`,
 * `adapter`, `losses`, `theory`, `picture`.
 */
place: string, 
/**
 * Name of the field, where it is about one; for a run `runs.INDEX.FIELD`.
 */
field: string | null, 
/**
 * Cause and way out.
 */
message: string, };

/** Hyper-parameters that are known to behave together. */
export const PRESETS: readonly Preset[] = [
  {
    "id": "adamw",
    "name": "PEFT defaults",
    "method": "adamw",
    "about": "AdamW as PyTorch sets it: betas 0.9 and 0.999.",
    "optimizer": {
      "rule": "adamw",
      "trains": "both",
      "preconditioner": null,
      "lr": 0.001,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.0,
      "weight_decay": 0.01,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 0,
        "decay": "constant"
      }
    },
    "schedule_steps": null
  },
  {
    "id": "adamw-paper",
    "name": "Paper",
    "method": "adamw",
    "about": "The paper’s AdamW for E2E: lr 2e-4, betas 0.9 and 0.999, linear schedule.",
    "optimizer": {
      "rule": "adamw",
      "trains": "both",
      "preconditioner": null,
      "lr": 0.0002,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-6,
      "momentum": 0.0,
      "weight_decay": 0.01,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 500,
        "decay": "linear"
      }
    },
    "schedule_steps": 26290
  },
  {
    "id": "adamw-control",
    "name": "Control: paper’s betas",
    "method": "adamw",
    "about": "AdamW at the betas of the paper’s scaled AdamW: the paper changes betas and preconditioner together, this changes betas alone.",
    "optimizer": {
      "rule": "adamw",
      "trains": "both",
      "preconditioner": null,
      "lr": 0.0002,
      "lr_ratio_b": 1.0,
      "betas": [
        0.7,
        0.8
      ],
      "eps": 1e-6,
      "momentum": 0.0,
      "weight_decay": 0.01,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 500,
        "decay": "linear"
      }
    },
    "schedule_steps": 26290
  },
  {
    "id": "scaled-adamw-safe",
    "name": "Safe",
    "method": "scaled_adamw",
    "about": "Damping 1e-2, PEFT’s default, with betas 0.9 and 0.999: steady from the first step.",
    "optimizer": {
      "rule": "adamw",
      "trains": "both",
      "preconditioner": {
        "damping": 0.01,
        "damping_kind": "absolute",
        "order": "simultaneous",
        "scale_aware": false,
        "place": "gradient",
        "tangent": false,
        "realigns_momentum": false
      },
      "lr": 0.001,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.0,
      "weight_decay": 0.01,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 0,
        "decay": "constant"
      }
    },
    "schedule_steps": null
  },
  {
    "id": "scaled-adamw-paper",
    "name": "Paper",
    "method": "scaled_adamw",
    "about": "The paper’s scaled AdamW for E2E: lr 8e-4, damping 1e-6, quickly forgetting betas 0.7 and 0.8.",
    "optimizer": {
      "rule": "adamw",
      "trains": "both",
      "preconditioner": {
        "damping": 1e-6,
        "damping_kind": "absolute",
        "order": "simultaneous",
        "scale_aware": false,
        "place": "gradient",
        "tangent": false,
        "realigns_momentum": false
      },
      "lr": 0.0008,
      "lr_ratio_b": 1.0,
      "betas": [
        0.7,
        0.8
      ],
      "eps": 1e-6,
      "momentum": 0.0,
      "weight_decay": 0.01,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 500,
        "decay": "linear"
      }
    },
    "schedule_steps": 26290
  },
  {
    "id": "scaled-adamw-update",
    "name": "Update preconditioned",
    "method": "scaled_adamw",
    "about": "AdamW on plain gradients, and what it makes of them preconditioned: the form that the proof of the paper’s Theorem 4.1 treats. lr is far smaller than where gradients are preconditioned.",
    "optimizer": {
      "rule": "adamw",
      "trains": "both",
      "preconditioner": {
        "damping": 0.01,
        "damping_kind": "absolute",
        "order": "simultaneous",
        "scale_aware": false,
        "place": "update",
        "tangent": false,
        "realigns_momentum": false
      },
      "lr": 0.0002,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.0,
      "weight_decay": 0.01,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 0,
        "decay": "constant"
      }
    },
    "schedule_steps": null
  },
  {
    "id": "sgd",
    "name": "Plain",
    "method": "sgd",
    "about": "Gradient descent; it needs a far larger lr than AdamW.",
    "optimizer": {
      "rule": "sgd",
      "trains": "both",
      "preconditioner": null,
      "lr": 0.1,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.0,
      "weight_decay": 0.0,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 0,
        "decay": "constant"
      }
    },
    "schedule_steps": null
  },
  {
    "id": "sgd-momentum",
    "name": "Momentum 0.9",
    "method": "sgd",
    "about": "Gradient descent with heavy-ball momentum.",
    "optimizer": {
      "rule": "sgd",
      "trains": "both",
      "preconditioner": null,
      "lr": 0.01,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.9,
      "weight_decay": 0.0,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 0,
        "decay": "constant"
      }
    },
    "schedule_steps": null
  },
  {
    "id": "sgd-paper",
    "name": "Paper",
    "method": "sgd",
    "about": "The paper’s SGD for E2E: lr 9e-2, weight decay 0.01, linear schedule.",
    "optimizer": {
      "rule": "sgd",
      "trains": "both",
      "preconditioner": null,
      "lr": 0.09,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.0,
      "weight_decay": 0.01,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 500,
        "decay": "linear"
      }
    },
    "schedule_steps": 26290
  },
  {
    "id": "scaled-gd",
    "name": "Safe",
    "method": "scaled_gd",
    "about": "Gradient descent on preconditioned gradients, with damping 1e-2.",
    "optimizer": {
      "rule": "sgd",
      "trains": "both",
      "preconditioner": {
        "damping": 0.01,
        "damping_kind": "absolute",
        "order": "simultaneous",
        "scale_aware": false,
        "place": "gradient",
        "tangent": false,
        "realigns_momentum": false
      },
      "lr": 0.01,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.0,
      "weight_decay": 0.0,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 0,
        "decay": "constant"
      }
    },
    "schedule_steps": null
  },
  {
    "id": "scaled-gd-paper",
    "name": "Paper",
    "method": "scaled_gd",
    "about": "The paper’s scaled GD for E2E, the method that its theory is about: lr 2e-2, damping 1e-6.",
    "optimizer": {
      "rule": "sgd",
      "trains": "both",
      "preconditioner": {
        "damping": 1e-6,
        "damping_kind": "absolute",
        "order": "simultaneous",
        "scale_aware": false,
        "place": "gradient",
        "tangent": false,
        "realigns_momentum": false
      },
      "lr": 0.02,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.0,
      "weight_decay": 0.01,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 500,
        "decay": "linear"
      }
    },
    "schedule_steps": 26290
  },
  {
    "id": "tangent-gd",
    "name": "Tangent space",
    "method": "scaled_gd",
    "about": "Scaled GD without what the steps of both factors count twice: together they are the gradient’s projection on the tangent space of matrices of rank r.",
    "optimizer": {
      "rule": "sgd",
      "trains": "both",
      "preconditioner": {
        "damping": 0.01,
        "damping_kind": "absolute",
        "order": "simultaneous",
        "scale_aware": false,
        "place": "gradient",
        "tangent": true,
        "realigns_momentum": false
      },
      "lr": 0.01,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.0,
      "weight_decay": 0.0,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 0,
        "decay": "constant"
      }
    },
    "schedule_steps": null
  },
  {
    "id": "lora-plus",
    "name": "Ratio 16",
    "method": "lora_plus",
    "about": "AdamW with a learning rate 16 times larger for lora_b than for lora_a (arXiv 2402.12354).",
    "optimizer": {
      "rule": "adamw",
      "trains": "both",
      "preconditioner": null,
      "lr": 0.0002,
      "lr_ratio_b": 16.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.0,
      "weight_decay": 0.01,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 0,
        "decay": "constant"
      }
    },
    "schedule_steps": null
  },
  {
    "id": "lora-fa",
    "name": "Frozen lora_a",
    "method": "lora_fa",
    "about": "AdamW on lora_b alone; lora_a stays as it was drawn (arXiv 2308.03303).",
    "optimizer": {
      "rule": "adamw",
      "trains": "b",
      "preconditioner": null,
      "lr": 0.001,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.0,
      "weight_decay": 0.01,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 0,
        "decay": "constant"
      }
    },
    "schedule_steps": null
  },
  {
    "id": "alt-lora",
    "name": "Alternating",
    "method": "alt_lora",
    "about": "Preconditioned gradient descent on lora_b and lora_a in turns, divided by (alpha / r)² (arXiv 2505.12455).",
    "optimizer": {
      "rule": "sgd",
      "trains": "alternating",
      "preconditioner": {
        "damping": 0.01,
        "damping_kind": "absolute",
        "order": "simultaneous",
        "scale_aware": true,
        "place": "gradient",
        "tangent": false,
        "realigns_momentum": false
      },
      "lr": 0.01,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.0,
      "weight_decay": 0.0,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 0,
        "decay": "constant"
      }
    },
    "schedule_steps": null
  },
  {
    "id": "alt-lora-momentum",
    "name": "Momentum 0.9",
    "method": "alt_lora",
    "about": "AltLoRA with momentum that is carried into the new basis whenever the other factor has moved.",
    "optimizer": {
      "rule": "sgd",
      "trains": "alternating",
      "preconditioner": {
        "damping": 0.01,
        "damping_kind": "absolute",
        "order": "simultaneous",
        "scale_aware": true,
        "place": "gradient",
        "tangent": false,
        "realigns_momentum": true
      },
      "lr": 0.001,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.9,
      "weight_decay": 0.0,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 0,
        "decay": "constant"
      }
    },
    "schedule_steps": null
  },
  {
    "id": "alt-lora-plus",
    "name": "Alternating",
    "method": "alt_lora_plus",
    "about": "AdamW on preconditioned gradients of lora_b and lora_a in turns, with its first moment carried into the new basis whenever the other factor has moved (arXiv 2505.12455).",
    "optimizer": {
      "rule": "adamw",
      "trains": "alternating",
      "preconditioner": {
        "damping": 0.01,
        "damping_kind": "absolute",
        "order": "simultaneous",
        "scale_aware": false,
        "place": "gradient",
        "tangent": false,
        "realigns_momentum": true
      },
      "lr": 0.001,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.0,
      "weight_decay": 0.01,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 0,
        "decay": "constant"
      }
    },
    "schedule_steps": null
  },
  {
    "id": "muon",
    "name": "Momentum 0.95",
    "method": "muon",
    "about": "Momentum made orthogonal, on lora_a and lora_b each.",
    "optimizer": {
      "rule": "muon",
      "trains": "both",
      "preconditioner": null,
      "lr": 0.001,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.95,
      "weight_decay": 0.01,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 0,
        "decay": "constant"
      }
    },
    "schedule_steps": null
  },
  {
    "id": "lora-muon",
    "name": "Momentum 0.95",
    "method": "lora_muon",
    "about": "Momentum made orthogonal in the preconditioner’s metric (arXiv 2606.12921): lr is about the size of each step of ΔW in every direction, at every rank and alpha.",
    "optimizer": {
      "rule": "muon",
      "trains": "both",
      "preconditioner": {
        "damping": 1e-6,
        "damping_kind": "absolute",
        "order": "simultaneous",
        "scale_aware": true,
        "place": "gradient",
        "tangent": false,
        "realigns_momentum": false
      },
      "lr": 0.01,
      "lr_ratio_b": 1.0,
      "betas": [
        0.9,
        0.999
      ],
      "eps": 1e-8,
      "momentum": 0.95,
      "weight_decay": 0.01,
      "max_grad_norm": null,
      "max_step_a": null,
      "schedule": {
        "warmup_steps": 0,
        "decay": "constant"
      }
    },
    "schedule_steps": null
  }
];

/** Names in common use for who speaks in a conversation, and what chat templates call them. */
export const KNOWN_ROLES: Readonly<Record<string, string>> = {
  "ai": "assistant",
  "bing": "assistant",
  "bot": "assistant",
  "chatgpt": "assistant",
  "function_response": "tool",
  "gpt": "assistant",
  "human": "user",
  "model": "assistant",
  "observation": "tool",
  "prompter": "user"
};

/** What is held out unless something else is asked for. */
export const DEFAULT_VALIDATION = {
  "at_most": {
    "share": 0.1,
    "count": 64
  }
} satisfies Validation;

/** The architectures of models that load, as `config.json` and GGUF files name them. */
export const ARCHITECTURES: Readonly<Record<'folder' | 'gguf', readonly string[]>> = {
  "folder": [
    "llama",
    "mistral",
    "qwen2",
    "qwen3",
    "smollm3",
    "granite",
    "gemma2",
    "gemma3_text",
    "olmo2",
    "phi3",
    "gpt_neox",
    "gpt2"
  ],
  "gguf": [
    "llama",
    "qwen2",
    "qwen3",
    "smollm3",
    "granite",
    "gemma2",
    "gemma3",
    "olmo2",
    "phi3",
    "gptneox",
    "gpt2"
  ]
};
