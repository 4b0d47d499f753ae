import './glossary.css';
import { h } from '../controls/dom';

/** Every term that the page uses, in one sentence. */
export const terms: readonly (readonly [string, string])[] = [
  ['base', 'The language model as it was loaded; its weights never change.'],
  [
    'adapter',
    'The pair lora_a [rank, in] and lora_b [out, rank] beside one linear layer, and the only thing that is trained.',
  ],
  ['rank', 'How many directions an adapter can change its layer in; 4 to 16 is usual.'],
  ['alpha', 'Sets how strongly an adapter acts: ΔW = alpha / rank · lora_b · lora_a.'],
  [
    'rsLoRA',
    'Rank-stabilised LoRA: ΔW = alpha / √rank · lora_b · lora_a, which keeps adapters of large rank as strong as those of small.',
  ],
  ['targets', 'Which layers of every block get an adapter.'],
  ['run', 'One optimizer setting, trained beside others from the same start on the same batches.'],
  ['bank', 'The adapters of all runs of a layer, stacked so that one pass through the base serves them all.'],
  [
    'precondition',
    'Multiply the gradient of A by (BᵀB + δI)⁻¹ and that of B by (AAᵀ + δI)⁻¹, so that a step moves ΔW alike however the factors are scaled.',
  ],
  [
    'damping δ',
    'Added to the diagonal of BᵀB and AAᵀ before they are inverted, because B starts at 0 and has no inverse.',
  ],
  ['lr', 'The learning rate: how far a step goes along the direction that the optimizer chose.'],
  [
    'lr · s²',
    'The rate of the step on ΔW itself that a preconditioned step amounts to, with s = alpha / rank; rates of different alpha and rank are compared by it.',
  ],
  ['SGD and scaled GD', 'Steps along the gradient, plain or preconditioned.'],
  [
    'AdamW and scaled AdamW',
    'Steps along the gradient’s running mean over the root of its running square, plain or preconditioned.',
  ],
  ['betas', 'How much of the past the two running means of AdamW keep at each step.'],
  ['weight_decay', 'By how much factors shrink in every step, times lr.'],
  ['max_grad_norm', 'Longest gradient that is let through unshortened.'],
  [
    'max_step_a',
    'Longest step of a layer’s lora_a, as a share of its norm: it bounds what clipping, which comes before the preconditioner, cannot.',
  ],
  ['batch_size', 'How many examples every step trains on.'],
  ['sequence_length', 'Most tokens of an example; a token is a word or a part of one.'],
  [
    'loss',
    'Mean of −log of the probability that the run gave to each token that came next, in nats; lower is better.',
  ],
  [
    'validation loss',
    'The same on examples that were kept out of training, which tells learning from memorising.',
  ],
  [
    'diverged',
    'A run whose loss or gradient stopped being a finite number; it stops there and the others go on.',
  ],
  ['condition number', 'Largest over smallest eigenvalue: how unevenly a matrix stretches its directions.'],
  ['temperature', 'How boldly samples are drawn: 0 always takes the likeliest token.'],
  ['top_k and top_p', 'Draw only from the k likeliest tokens, or from those that make up the share p.'],
  [
    'text-to-image',
    'A model that turns noise into a picture of what a caption says, in some steps; its denoiser does that, its text encoder reads the caption.',
  ],
  [
    'guidance',
    'How far drawings follow their caption: 1 as it was learned, more exaggerates it, 0 ignores it.',
  ],
  [
    'subject and style',
    'What a few pictures teach under a new word: a thing, or a way in which things are drawn.',
  ],
  ['PEFT', 'Hugging Face’s library for adapters; runs leave this page in its format.'],
];

/** The terms, folded away until they are wanted. */
export function glossary(): HTMLElement {
  const list = terms.map(([term, meaning]) => h('div', {}, h('dt', {}, term), h('dd', {}, meaning)));
  return h('details', { class: 'glossary' }, h('summary', {}, 'Words of this page'), h('dl', {}, ...list));
}
