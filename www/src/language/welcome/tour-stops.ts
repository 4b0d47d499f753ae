/** One stop of the guided tour. */
export interface TourStop {
  /** What it is about: an element of the Language view. */
  target: string;
  title: string;
  words: string;
}

export const tourStops: readonly TourStop[] = [
  {
    target: '#model',
    title: 'The base stays frozen',
    words:
      'A language model is loaded into this tab and never changed. Each adapted layer W gets two small factors, lora_a ' +
      'and lora_b, whose product alpha / rank · B · A is added to it. Only they are trained.',
  },
  {
    target: '#data',
    title: 'Your text',
    words:
      'Prompts with completions, or plain text. It becomes tokens here, and only the underlined ones count in the loss. ' +
      'Some examples are held out: the validation loss is measured on them.',
  },
  {
    target: '#settings',
    title: 'Runs that differ in one thing',
    words:
      'All runs start from the same adapters and see the same batches; they differ only in their optimizer. A ' +
      'preconditioned run multiplies the gradient of A by (BᵀB + δI)⁻¹ and that of B by (AAᵀ + δI)⁻¹, two matrices of ' +
      'rank × rank, before AdamW or SGD sees it.',
  },
  {
    target: '#train',
    title: 'Watch them train',
    words:
      'Lower is better. One learning rate proves nothing: a method may only like it more. Train each at several rates ' +
      'and compare best against best. The third chart shows why curves differ, such as how uneven the factors have become.',
  },
  {
    target: '#samples',
    title: 'Read what they write',
    words:
      'The base and every run answer the same prompt, before and after. A lower loss should show here; if it does not, ' +
      'the numbers deserve a second look. The tab Images does the same with a model that draws.',
  },
];
