import type { Config } from '../config/config';
import { methodNames, methodOf } from '../config/methods';
import { python } from './python';

/** What a recipe tells of. */
export interface RecipeInput {
  config: Config;
  /** Index of the run. */
  run: number;
  /** Id of the base on the hub, or its name. */
  base: string;
  /** Name of the data. */
  data: string;
  /** Name of the adapter that the run started from. */
  start: string | null;
  /** Steps done. */
  step: number;
  /** The last validation loss, where one was measured. */
  validationLoss: number | null;
}

/** README.md of an exported adapter: what it is, how to load it, and everything that it was made with. */
export function adapterReadme(input: RecipeInput): string {
  const load = [
    'from peft import PeftModel',
    'from transformers import AutoModelForCausalLM, AutoTokenizer',
    '',
    `base = AutoModelForCausalLM.from_pretrained(${python(input.base)})`,
    'model = PeftModel.from_pretrained(base, ".")  # this folder',
    `tokenizer = AutoTokenizer.from_pretrained(${python(input.base)})`,
  ];
  const head = [
    '---',
    `base_model: ${JSON.stringify(input.base)}`,
    'library_name: peft',
    'tags: [lora]',
    '---',
  ];
  const about = `A LoRA adapter for ${oneLine(input.base)}, trained with riemann-lora in a browser tab.`;
  return [...head, '', ...titled(input), about, '', '```python', ...load, '```', '', ...recipe(input)].join(
    '\n',
  );
}

/** README.md of a merged model. */
export function mergedReadme(input: RecipeInput, hasTokenizer: boolean): string {
  const tokenizer = hasTokenizer ? '"."' : python(input.base);
  const load = [
    'from transformers import AutoModelForCausalLM, AutoTokenizer',
    '',
    'model = AutoModelForCausalLM.from_pretrained(".")  # this folder',
    `tokenizer = AutoTokenizer.from_pretrained(${tokenizer})`,
  ];
  const about = `${oneLine(input.base)} with a LoRA adapter merged into its weights, trained with riemann-lora in a browser tab.`;
  return [...titled(input), about, '', '```python', ...load, '```', '', ...recipe(input)].join('\n');
}

function titled({ config, run }: RecipeInput): string[] {
  return [`# ${oneLine(config.runs[run]?.name ?? 'Run')}`, ''];
}

function recipe({ config, run, base, data, start, step, validationLoss }: RecipeInput): string[] {
  const { session } = config;
  const settings = config.runs[run];
  const method = settings === undefined ? '' : methodNames[methodOf(settings.optimizer)];
  const rows: [string, string][] = [
    ['Base', base],
    ['Data', data],
    ['Start', start === null ? `fresh adapters, seed ${session.seed}` : start],
    ['Method', method],
    ['Rank, alpha, dropout', `${session.rank}, ${session.alpha}, ${session.dropout}`],
    ['Scale', session.use_rslora ? 'alpha / √rank (rsLoRA)' : 'alpha / rank'],
    ['Layers', session.targets.join(', ')],
    ['Batch', `${session.batch_size}`],
    ['Steps', `${step} of ${session.steps}`],
    ...(validationLoss === null ? [] : [['Validation loss', validationLoss.toFixed(4)] as [string, string]]),
  ];
  return [
    '## Recipe',
    '',
    '| | |',
    '| --- | --- |',
    ...rows.map(([name, value]) => `| ${name} | ${cell(value)} |`),
    '',
    'All settings of the optimizer and of the data:',
    '',
    '```json',
    JSON.stringify({ optimizer: settings?.optimizer ?? null, data: config.data }, null, 2),
    '```',
    '',
  ];
}

function oneLine(words: string): string {
  return words.replace(/\s+/g, ' ').trim();
}

function cell(words: string): string {
  return oneLine(words).replaceAll('|', '\\|');
}
