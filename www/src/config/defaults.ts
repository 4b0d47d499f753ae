import type { Config } from './config';
import { presets } from './presets';

function optimizerOf(id: string, lr: number) {
  const preset = presets.find((candidate) => candidate.id === id) ?? presets[0];
  if (preset === undefined) throw new Error('there is at least one preset');
  return { ...structuredClone(preset.optimizer), lr };
}

/** What the page opens with. Both runs at one lr: a sweep over lr is what a comparison needs, this is a first look. */
export function defaultConfig(): Config {
  return {
    session: {
      rank: 8,
      alpha: 16,
      dropout: 0,
      targets: ['q_proj', 'v_proj'],
      batch_size: 4,
      steps: 60,
      seed: 0,
    },
    runs: [
      { style: 0, name: 'AdamW', optimizer: optimizerOf('adamw', 1e-3) },
      { style: 1, name: 'Scaled AdamW', optimizer: optimizerOf('scaled-adamw-safe', 1e-3) },
    ],
    data: {
      format: null,
      columns: null,
      documents: 'file',
      prompt_style: 'plain',
      loss_on: 'completion',
      sequence_length: 64,
      validation: { count: 16 },
      maximum_examples: 2000,
      seed: 0,
    },
    sample: { prompt: '', chat: false, max_tokens: 40, temperature: 0, top_k: 40, top_p: 0.95, seed: 0 },
    sampleAround: true,
    validationEvery: 10,
    checkpointEvery: 10,
    engine: 'auto',
    view: { logScale: false, smoothing: 0.6 },
  };
}
