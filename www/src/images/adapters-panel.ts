import '../experiment/adapters.css';
import { swatch } from '../charts/run-style';
import { fill, h, setText } from '../controls/dom';
import { failureBox } from '../controls/message';
import { type AdapterSource, adapterStart } from '../experiment/adapter-start';
import { failed, type Result, success, wordsOf } from '../result';
import { fileName } from '../share/file-name';
import { saveFile } from '../share/save-file';
import type { PictureExperiment } from './experiment';
import { imagesScript } from './script-panel';

// The largest that rank 64 on all layers of such a model makes is some megabytes.
const MOST_BYTES = 1 << 26;

const source: AdapterSource = {
  words: 'All runs can start from an adapter that was saved here.',
  accept: '.safetensors',
  folder: false,
  pick: (files) => files.slice(0, 1),
  read: readAdapter,
};

/** Adapters out of the page and into it, one safetensors file each. */
export function imagesAdapters(images: PictureExperiment): HTMLElement[] {
  return [
    h('h3', {}, 'Take home'),
    ...exports(images),
    h('h3', {}, 'Bring back'),
    ...adapterStart(images, source),
    h('h3', {}, 'Go on in Python'),
    ...imagesScript(images),
  ];
}

function exports(images: PictureExperiment): HTMLElement[] {
  const { lab } = images;
  const problem = failureBox();
  const told = h('p', { class: 'hint adapter-told', role: 'status' });
  const hint = h('p', { class: 'hint' });
  const list = h('ul', { class: 'adapter-runs' });
  let buttons: HTMLButtonElement[] = [];
  const save = async (run: number, name: string) => {
    problem.show(null);
    setText(told, '');
    const bytes = await lab.exportAdapter(run);
    if (!bytes.ok) return problem.show(bytes.failure);
    const file = `${fileName(name)}.safetensors`;
    saveFile(file, new Blob([bytes.value.slice()]));
    setText(told, `Saved as ${file}.`);
  };
  const enable = () => {
    const from = images.exportable.value;
    const over =
      from?.isShown === false ||
      (['paused', 'finished', 'stopped'].includes(lab.phase.value) && lab.trainees.length > 0);
    for (const [run, button] of buttons.entries()) {
      button.disabled = !over || from?.metrics.runs[run]?.divergedAt !== null;
    }
    setText(
      hint,
      over
        ? 'One safetensors file holds the adapters of denoiser and text encoder, and the new words that they are about.'
        : 'The adapters of all runs can leave when a training is paused or over.',
    );
  };
  images.exportable.watch((from) => {
    const runs = from?.runs ?? [];
    buttons = runs.map(({ name }, run) =>
      h(
        'button',
        { type: 'button', 'aria-label': `Safetensors of ${name}`, onclick: () => void save(run, name) },
        'Safetensors',
      ),
    );
    const rows = runs.map(({ name, style }, run) =>
      h(
        'li',
        { class: 'adapter-run', 'data-export': name },
        h('span', { class: 'adapter-name' }, swatch(style), name),
        buttons[run],
      ),
    );
    fill(list, ...rows);
    list.hidden = runs.length === 0;
    enable();
  });
  lab.phase.watch(enable);
  return [hint, h('div', {}, list, told), problem.element];
}

async function readAdapter([file]: File[]): Promise<Result<{ name: string; weights: Uint8Array }>> {
  const wrong = (message: string) => failed('adapter', `${message} Choose a file that this tab saved.`);
  if (file === undefined) return wrong('There is no file.');
  if (!/\.safetensors$/i.test(file.name)) return wrong(`${file.name} is no safetensors file.`);
  if (file.size > MOST_BYTES) return wrong(`${file.name} is larger than any adapter of this model.`);
  try {
    const weights = new Uint8Array(await file.arrayBuffer());
    return success({ name: file.name.replace(/\.safetensors$/i, ''), weights });
  } catch (thrown) {
    return wrong(`${file.name} cannot be read (${wordsOf(thrown)}).`);
  }
}
