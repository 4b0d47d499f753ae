import { DEFAULT_VALIDATION, KNOWN_ROLES } from '../protocol';
import type { Config } from './config';
import { presetCalled, settingsOf } from './presets';

const STEPS = 60;

function optimizerOf(id: string, lr: number) {
  const preset = presetCalled(id);
  if (preset === undefined) throw new Error(`there is no preset ${id}`);
  return { ...settingsOf(preset, STEPS), lr };
}

/** What the page opens with. Both runs at one lr: a sweep over lr is what a comparison needs, this is a first look. */
export function defaultConfig(): Config {
  return {
    session: {
      rank: 8,
      alpha: 16,
      use_rslora: false,
      dropout: 0,
      targets: ['q_proj', 'v_proj'],
      batch_size: 4,
      micro_batch_size: 0,
      gradient_checkpointing: false,
      half_precision: false,
      steps: STEPS,
      seed: 0,
      diagnostics: true,
      layer_diagnostics: true,
    },
    runs: [
      { style: 0, name: 'AdamW', optimizer: optimizerOf('adamw', 1e-3) },
      { style: 1, name: 'Scaled AdamW', optimizer: optimizerOf('scaled-adamw-safe', 1e-3) },
    ],
    data: {
      format: null,
      encoding: null,
      columns: null,
      roles: { ...KNOWN_ROLES },
      documents: 'file',
      prompt_style: 'plain',
      separator: '\n',
      loss_on: 'completion',
      sequence_length: 64,
      validation: structuredClone(DEFAULT_VALIDATION),
      maximum_examples: 2000,
      seed: 0,
    },
    sample: {
      prompt: '',
      chat: false,
      max_tokens: 40,
      temperature: 0,
      top_k: 40,
      top_p: 0.95,
      seed: 0,
      stop: [],
    },
    sampleAround: true,
    validationEvery: 10,
    checkpointEvery: 10,
    engine: 'auto',
    view: {
      logScale: false,
      smoothing: 0.6,
      compared: 'all',
      comparedLr: null,
      quantity: 'grad_norm',
      quantityLog: {
        grad_norm: true,
        norm_a: true,
        norm_b: true,
        norm_delta: true,
        condition_a: true,
        condition_b: true,
        update_ratio: true,
        // It may be below 0.
        log_det_ratio: false,
        lr: false,
      },
    },
  };
}
