import { methodNames } from './methods';
import { presetCalled, presetsOf } from './presets';

/** `AdamW`, and where a method has several presets `Scaled AdamW (paper)`. */
export function presetName(id: string): string {
  const preset = presetCalled(id);
  if (preset === undefined) return id;
  const name = methodNames[preset.method];
  // What begins as an abbreviation stays one.
  const own = /^[A-Z]{2}/.test(preset.name)
    ? preset.name
    : preset.name.charAt(0).toLowerCase() + preset.name.slice(1);
  return presetsOf(preset.method).length > 1 ? `${name} (${own})` : name;
}
