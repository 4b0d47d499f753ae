import { type Method, type OptimizerSettings, PRESETS, type Preset } from '../protocol';

/** The presets of a method, its default first; there is at least one. */
export function presetsOf(method: Method): readonly Preset[] {
  return PRESETS.filter((preset) => preset.method === method);
}

/** The preset with this id. */
export function presetCalled(id: string): Preset | undefined {
  return PRESETS.find((preset) => preset.id === id);
}

/** The preset's settings for a training of `steps`: a warm-up keeps its share of them. */
export function settingsOf(preset: Preset, steps: number): OptimizerSettings {
  const optimizer = structuredClone(preset.optimizer);
  // Steps that are being typed may be no number yet; the warm-up then waits for one.
  if (preset.schedule_steps !== null && Number.isFinite(steps)) {
    const share = optimizer.schedule.warmup_steps / preset.schedule_steps;
    optimizer.schedule.warmup_steps = Math.round(share * steps);
  }
  return optimizer;
}

/** The preset that these settings are in a training of `steps`, whatever their lr; undefined where they are the user's own. */
export function presetOf(optimizer: OptimizerSettings, steps: number): Preset | undefined {
  const words = settingsButLr(optimizer);
  const exact = PRESETS.filter((preset) => settingsButLr(settingsOf(preset, steps)) === words);
  return exact.find((preset) => preset.optimizer.lr === optimizer.lr) ?? exact[0];
}

/** A copy with the warm-up of its preset, where it is one, moved from a training of `before` steps to one of `steps`. */
export function withSteps(optimizer: OptimizerSettings, before: number, steps: number): OptimizerSettings {
  const preset = presetOf(optimizer, before);
  if (preset === undefined) return optimizer;
  return { ...settingsOf(preset, steps), lr: optimizer.lr };
}

/** Equal for settings that are equal but for their lr, in whatever order their keys are. */
export function settingsButLr(optimizer: OptimizerSettings): string {
  const sorted = (_: string, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value;
  return JSON.stringify({ ...optimizer, lr: 0 }, sorted);
}
