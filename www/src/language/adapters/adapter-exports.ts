import '../../experiment/adapters.css';
import { swatch } from '../../charts/run-style';
import type { RunConfig } from '../../config/config';
import { fill, h, setText } from '../../controls/dom';
import { choiceField } from '../../controls/field';
import { failureBox } from '../../controls/message';
import { progressBar } from '../../controls/progress';
import { Exporter } from '../../lab/exporting';
import type { Precision, Progress } from '../../protocol';
import { failed, type Result, success, wordsOf } from '../../result';
import { adapterReadme, mergedReadme, type RecipeInput } from '../../share/adapter-readme';
import { UNKNOWN_BASE } from '../../share/base-id';
import { fileName } from '../../share/file-name';
import { saveFile } from '../../share/save-file';
import { type ZipFile, zipOf } from '../../share/zip';
import type { Signal } from '../../signal';
import { plural } from '../../words/numbers';
import type { App } from '../app';

/** Files of a model folder that are no weights and go with a merged model. */
const companions =
  /^(tokenizer.*\.json|tokenizer\.model|chat_template\.jinja|special_tokens_map\.json|generation_config\.json|vocab\.json|merges\.txt)$/;

/** A file that was made. */
interface Made {
  name: string;
  content: Blob;
}

/** Every run of the training, and the forms in which it can leave. */
export function adapterExports(app: App, base: Signal<string>, field: HTMLElement): HTMLElement[] {
  const { lab } = app;
  const exporter = new Exporter(lab.desk);
  const problem = failureBox();
  const told = h('p', { class: 'hint adapter-told', role: 'status' });
  let running: AbortController | null = null;
  const progress = progressBar('Exporting', () => running?.abort());
  let precision: Precision = 'f16';
  const numbers = choiceField<Precision>({
    label: 'Numbers in GGUF and merged files',
    help: 'F32 keeps every bit that was trained; F16 and BF16 take half the room. A PEFT folder is always F32.',
    choices: [
      ['f32', 'F32'],
      ['f16', 'F16'],
      ['bf16', 'BF16'],
    ],
    onInput: (value) => {
      precision = value;
    },
  });
  numbers.show(precision);

  const recipeOf = (run: number): RecipeInput | null => {
    const from = app.exportable.value;
    if (from === null) return null;
    const series = from.metrics.runs[run];
    return {
      config: from.config,
      run,
      base: base.value || UNKNOWN_BASE,
      data: from.data,
      start: lab.startedFrom,
      step: series?.losses.length ?? 0,
      validationLoss: series?.validation.at(-1)?.loss ?? null,
    };
  };
  const stem = (run: number) => fileName(app.exportable.value?.runs[run]?.name ?? 'run');

  const peft = async (run: number, recipe: RecipeInput): Promise<Result<Made>> => {
    const files = await exporter.peft(run, recipe.base);
    if (!files.ok) return files;
    const folder = stem(run);
    const content = await zipOf([
      { path: `${folder}/adapter_config.json`, content: files.value.config.slice() },
      { path: `${folder}/adapter_model.safetensors`, content: files.value.weights.slice() },
      { path: `${folder}/README.md`, content: adapterReadme(recipe) },
    ]);
    return success({ name: `${folder}.zip`, content });
  };
  const gguf = async (run: number): Promise<Result<Made>> => {
    const file = await exporter.gguf(run, precision);
    if (!file.ok) return file;
    return success({
      name: `${stem(run)}-lora-${precision}.gguf`,
      content: new Blob([file.value.slice()]),
    });
  };
  const merged = async (run: number, recipe: RecipeInput, signal: AbortSignal): Promise<Result<Made>> => {
    const folder = `${stem(run)}-merged`;
    // Weights go into the zip as they come: neither has all of them.
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const show = (state: Progress) => progress.show(state);
    const making = exporter
      .merged(run, precision, (bytes) => writer.write(bytes), show, signal)
      .finally(() => writer.close().catch(() => {}));
    async function* files(): AsyncGenerator<ZipFile> {
      yield { path: `${folder}/model.safetensors`, content: readable };
      const config = await making;
      if (!config.ok) return;
      yield { path: `${folder}/config.json`, content: config.value.slice() };
      const others = (app.exportable.value?.files ?? []).filter(({ name }) => companions.test(name));
      for (const file of others) yield { path: `${folder}/${file.name}`, content: file };
      const hasTokenizer = others.some(({ name }) => name === 'tokenizer.json');
      yield { path: `${folder}/README.md`, content: mergedReadme(recipe, hasTokenizer) };
    }
    const zipping = zipOf(files()).catch(async (thrown) => {
      // Whoever waits to write would wait for ever.
      await writer.abort(thrown).catch(() => {});
      throw thrown;
    });
    const [config, content] = await Promise.all([making, zipping]);
    return config.ok ? success({ name: `${folder}.zip`, content }) : config;
  };

  const make = async (work: (signal: AbortSignal) => Promise<Result<Made>>) => {
    if (running !== null) return;
    running = new AbortController();
    const { signal } = running;
    problem.show(null);
    setText(told, '');
    progress.show({ action: 'Exporting', done: 0, total: 0 });
    enable();
    const made = await work(signal).catch((thrown) =>
      failed('adapter', `The file could not be made (${wordsOf(thrown)}). Free some memory and try again.`),
    );
    running = null;
    progress.show(null);
    enable();
    if (signal.aborted) return setText(told, 'The export was cancelled.');
    if (!made.ok) return problem.show(made.failure);
    saveFile(made.value.name, made.value.content);
    setText(told, `Saved as ${made.value.name}.`);
  };

  const buttons: { button: HTMLButtonElement; run: number }[] = [];
  const row = (config: RunConfig, run: number) => {
    const button = (
      form: string,
      work: (recipe: RecipeInput, signal: AbortSignal) => Promise<Result<Made>>,
    ) => {
      const element = h('button', { type: 'button', 'data-form': form }, form);
      element.setAttribute('aria-label', `${form} of ${config.name}`);
      element.addEventListener('click', () => {
        const recipe = recipeOf(run);
        if (recipe !== null) void make((signal) => work(recipe, signal));
      });
      buttons.push({ button: element, run });
      return element;
    };
    return h(
      'li',
      { class: 'adapter-run', 'data-export': config.name },
      h('span', { class: 'adapter-name' }, swatch(config.style), config.name),
      h(
        'span',
        { class: 'row' },
        button('PEFT folder', (recipe) => peft(run, recipe)),
        button('GGUF LoRA', () => gguf(run)),
        button('Merged model', (recipe, signal) => merged(run, recipe, signal)),
      ),
    );
  };
  const hint = h('p', { class: 'hint' });
  const list = h('ul', { class: 'adapter-runs' });
  const isBefore = () => app.exportable.value?.isShown === false;
  const ready = () =>
    isBefore() || (['paused', 'finished', 'stopped'].includes(lab.phase.value) && lab.trainees.length > 0);
  const enable = () => {
    const runs = app.exportable.value?.metrics.runs ?? [];
    for (const { button, run } of buttons) {
      button.disabled = !ready() || running !== null || runs[run]?.divergedAt !== null;
    }
    const diverged = runs.some((run) => run.divergedAt !== null);
    const words = diverged ? 'A run that diverged has no adapter.' : '';
    setText(
      hint,
      ready()
        ? `${isBefore() ? `These are of the training before, on ${app.exportable.value?.data}: they can leave until the next one starts. ` : ''}A PEFT folder for Python, a LoRA for llama.cpp, or the whole model with the run merged in. ${words}`
        : 'The adapters of all runs can leave when a training is paused or over.',
    );
  };
  const others = h('p', { class: 'hint', hidden: true });
  let rows: HTMLElement[] = [];
  // Of many runs those that have curves: the others are one click away.
  const showRows = () => {
    const from = app.exportable.value;
    const shown = new Set(app.shownRuns.map(({ index }) => index));
    const hidden = from?.isShown ? rows.filter((_, run) => !shown.has(run)) : [];
    for (const one of rows) one.hidden = hidden.includes(one);
    others.hidden = hidden.length === 0;
    setText(others, `${plural(hidden.length, 'more run')}: choose All runs above the curves.`);
  };
  app.exportable.watch((from) => {
    const runs = from?.runs ?? [];
    buttons.length = 0;
    rows = runs.map(row);
    fill(list, ...rows);
    list.hidden = runs.length === 0;
    showRows();
    enable();
  });
  app.config.subscribeTo(({ view }) => [view.compared, view.comparedLr], showRows);
  lab.phase.watch((phase) => {
    showRows();
    // Adapters that move would make a mixture.
    if (phase === 'running' || phase === 'preparing') running?.abort();
    enable();
  });
  return [
    h('div', { class: 'adapter-fields' }, field, numbers.element),
    hint,
    h('div', {}, list, others, told),
    progress.element,
    problem.element,
  ];
}
