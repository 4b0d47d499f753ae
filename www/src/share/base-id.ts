/** Bases whose place on the Hugging Face hub is known, by what their files call themselves. */
const known: readonly (readonly [RegExp, string])[] = [
  [/smollm2.*135m.*instruct/i, 'HuggingFaceTB/SmolLM2-135M-Instruct'],
  [/smollm2.*135m/i, 'HuggingFaceTB/SmolLM2-135M'],
  [/smollm2.*360m.*instruct/i, 'HuggingFaceTB/SmolLM2-360M-Instruct'],
  [/smollm2.*360m/i, 'HuggingFaceTB/SmolLM2-360M'],
  [/tinyllama.*chat/i, 'TinyLlama/TinyLlama-1.1B-Chat-v1.0'],
  [/^(openai-community\/)?gpt-?2$/i, 'openai-community/gpt2'],
];

/** What stands where nothing is known. */
export const UNKNOWN_BASE = 'path/to/the/base';

/** Where Python finds the base that files call `name`: an id of the hub where it is known, else the name itself. */
export function baseId(name: string): string {
  if (name === '' || name === 'unnamed model') return UNKNOWN_BASE;
  return known.find(([pattern]) => pattern.test(name))?.[1] ?? name;
}
