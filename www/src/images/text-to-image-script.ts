import type { Target } from '../protocol';
import optimizers from '../share/optimizers.py?raw';
import draws from '../share/page-draws.py?raw';
import { peftRun } from '../share/peft-run';
import { comment, python } from '../share/python';
import { captionsOf, type PictureConfig } from './config';
import body from './text-to-image.py?raw';

/** What the script trains until it is told of another base. */
export const STABLE_DIFFUSION = 'stable-diffusion-v1-5/stable-diffusion-v1-5';

/** The layers of a Stable Diffusion's denoiser and text encoder that are what the page calls so. */
const layersOf: Partial<Record<Target, { denoiser: string; text: string }>> = {
  q_proj: { denoiser: 'to_q', text: 'q_proj' },
  k_proj: { denoiser: 'to_k', text: 'k_proj' },
  v_proj: { denoiser: 'to_v', text: 'v_proj' },
  o_proj: { denoiser: 'to_out.0', text: 'out_proj' },
  // Gate and values of its feed-forward layers are one layer; the text encoder has no gate.
  gate_proj: { denoiser: 'ff.net.0.proj', text: 'fc1' },
  up_proj: { denoiser: 'ff.net.0.proj', text: 'fc1' },
  down_proj: { denoiser: 'ff.net.2', text: 'fc2' },
};

/** A Python script that trains the runs of the Images tab on a Stable Diffusion, with diffusers and PEFT. */
export function textToImageScript(config: PictureConfig): string {
  const { session, draw } = config;
  const layers = session.targets.flatMap((target) => layersOf[target] ?? []);
  const runs = config.runs.flatMap(({ name, optimizer, text_lr = null }) => {
    const run = peftRun(optimizer, { lr: 'lr', damping: 'reg' });
    if ('skipped' in run) {
      return [
        `    # ${comment(name)} is skipped: ${run.skipped}.`,
        `    {"name": ${python(name)}, "skipped": ${python(run.skipped)}},`,
      ];
    }
    const damping = optimizer.preconditioner?.damping ?? null;
    return [
      '    {',
      `        "name": ${python(name)},`,
      `        "lr": ${python(optimizer.lr)}, "text_lr": ${python(text_lr ?? optimizer.lr)},`,
      `        "damping": ${python(damping)}, "text_damping": ${python(damping)},`,
      `        "optimizer": lambda model, lr, reg: ${run.optimizer},`,
      `        "max_grad_norm": ${python(optimizer.max_grad_norm)},`,
      `        "warmup_steps": ${python(optimizer.schedule.warmup_steps)},`,
      `        "decay": ${python(optimizer.schedule.decay)},`,
      '    },',
    ];
  });
  const lines = [
    `BASE = ${python(STABLE_DIFFUSION)}`,
    `LORA = ${python({
      r: session.rank,
      lora_alpha: session.alpha,
      use_rslora: session.use_rslora,
      lora_dropout: session.dropout,
    })}`,
    `DENOISER_TARGETS = ${python([...new Set(layers.map(({ denoiser }) => denoiser))])}`,
    `TEXT_TARGETS = ${python([...new Set(layers.map(({ text }) => text))])}`,
    `BATCH_SIZE = ${python(session.batch_size)}`,
    '# Pictures that are on the GPU at once; 0 is the whole batch.',
    `MICRO_BATCH_SIZE = ${python(session.micro_batch_size)}`,
    `GRADIENT_CHECKPOINTING = ${python(session.gradient_checkpointing)}`,
    `STEPS = ${python(session.steps)}`,
    `SEED = ${python(session.seed)}`,
    `VALIDATE_EVERY = ${python(config.validationEvery)}`,
    `KEEP_EVERY = ${python(config.checkpointEvery)}`,
    `DRAW_EVERY = ${python(config.drawEvery)}`,
    `CAPTIONS = ${python(captionsOf(draw.prompt))}`,
    `DRAW_STEPS = ${python(draw.steps)}`,
    `DRAW_SEED = ${python(draw.seed)}`,
    `GUIDANCE = ${python(draw.guidance)}`,
    '',
    '# Rates are those of the page, whose model is a small one; Stable Diffusion is mostly trained with AdamW at 1e-4, and its',
    '# text encoder at a tenth of that. The paper varies the rate of the text encoder alone: --text-lr.',
    'RUNS = [',
    ...runs,
    ']',
    '',
  ];
  return body
    .replace('# SETTINGS\n', () => lines.join('\n'))
    .replace('# OPTIMIZERS\n', () => `${optimizers}\n`)
    .replace('# DRAWS\n', () => `${draws}\n`);
}
