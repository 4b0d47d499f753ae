import './adapters.css';
import { h } from '../../controls/dom';
import { textField } from '../../controls/field';
import { type AdapterSource, adapterStart } from '../../experiment/adapter-start';
import { adapterFiles, readAdapterFiles } from '../../lab/adapter-files';
import { readyValue } from '../../lab/loadable';
import { baseId } from '../../share/base-id';
import { Signal } from '../../signal';
import type { App } from '../app';
import { modelNameOf } from '../model/model-names';
import { adapterExports } from './adapter-exports';
import { adapterScript } from './adapter-script';

const peftSource: AdapterSource = {
  words: 'All runs can start from an adapter: drop a PEFT folder in a zip, or its two files.',
  accept: '.zip,.json,.safetensors',
  folder: true,
  pick: adapterFiles,
  read: readAdapterFiles,
};

/** Adapters out of the page and into it. */
export function adapterPanel(app: App): HTMLElement[] {
  const base = new Signal<string>('');
  const field = textField({
    label: 'Base in Python',
    help: 'Where transformers finds the base: an id of the Hugging Face hub, or a folder. It is written into what leaves here.',
    field: 'base_id',
    onInput: (value) => base.set(value.trim()),
  });
  base.watch((value) => field.show(value));
  app.lab.model.watch((state) => {
    const model = readyValue(state);
    if (model !== undefined) base.set(baseId(model, modelNameOf(app.lab.modelFiles)));
  });
  return [
    ...part('Take home', ...adapterExports(app, base, field.element)),
    ...part('Bring back', ...adapterStart(app, peftSource)),
    ...part('Go on in Python', ...adapterScript(app, base)),
  ];
}

function part(title: string, ...children: HTMLElement[]): HTMLElement[] {
  return [h('h3', {}, title), ...children];
}
