import '../../experiment/offers.css';
import '../elsewhere.css';
import { h } from '../../controls/dom';
import { fieldWithButton } from '../../controls/field-with-button';
import { failureBox } from '../../controls/message';
import { progressBar } from '../../controls/progress';
import type { DataSource } from '../../lab/language';
import { fetchData, parseDataAddress } from '../../store/data-address';

/** Data that is public, and where. */
const e2e = {
  name: 'E2E NLG, training split',
  address: 'https://raw.githubusercontent.com/microsoft/LoRA/main/examples/NLG/data/e2e/train.txt',
  words: '42,061 descriptions of restaurants, about 10 MB: the data of the paper’s experiments',
  licence: 'CC BY-SA 4.0, Novikova, Dušek and Rieser 2017',
};

/** Data from an address: the paper's own, or any. `take` gets what came. */
export function dataAddress(take: (source: DataSource) => void): HTMLElement[] {
  let running: AbortController | null = null;
  const problem = failureBox();
  const progress = progressBar('Downloading data', () => running?.abort());
  const get = async (address: string) => {
    if (running !== null) return;
    const url = parseDataAddress(address);
    problem.show(url.ok ? null : url.failure);
    if (!url.ok) return;
    running = new AbortController();
    progress.show({ action: `Asking ${url.value.host}`, done: 0, total: 0 });
    const found = await fetchData(url.value, progress.show, running.signal);
    running = null;
    progress.show(null);
    if (found.ok) take({ ...found.value, addresses: [url.value.href] });
    else problem.show(found.failure);
  };
  const any = fieldWithButton({
    label: 'Address of a file',
    help: 'The https address of text, JSON lines or CSV. The server has to allow other pages to read it; raw files on GitHub and Hugging Face do.',
    placeholder: 'https://…/data.jsonl',
    button: { id: 'fetch-data', words: 'Fetch' },
    onAct: (address) => void get(address),
  });
  const offer = h(
    'div',
    { class: 'offer' },
    h(
      'p',
      {},
      h('strong', {}, e2e.name),
      h('br'),
      e2e.words,
      h('br'),
      `Licence: ${e2e.licence}. From `,
      h('span', { class: 'address' }, e2e.address),
    ),
    h('button', { type: 'button', id: 'fetch-e2e', onclick: () => void get(e2e.address) }, 'Fetch'),
  );
  offer.querySelector('button')?.setAttribute('aria-label', `Fetch ${e2e.name}`);
  return [
    h(
      'details',
      { class: 'elsewhere' },
      h('summary', {}, 'Or from an address'),
      h(
        'p',
        { class: 'hint' },
        'Fetch asks the server that the address names, and no other. Nothing of yours is sent to it.',
      ),
      any,
      offer,
    ),
    progress.element,
    problem.element,
  ];
}
