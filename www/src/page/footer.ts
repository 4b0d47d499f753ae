import { h } from '../controls/dom';
import { glossary } from './glossary';

/** What happens to the data, whose work this is, and which version. */
export function footer(): HTMLElement[] {
  return [
    glossary(),
    h(
      'p',
      {},
      'Your model, data and adapters stay in this tab. Other servers are asked only for the models and data that you fetch from them.',
    ),
    h(
      'p',
      {},
      h('a', { href: './THIRD-PARTY.txt' }, 'Licences of what this page is made of'),
      ` · riemann-lora ${__VERSION__} · MIT or Apache-2.0`,
    ),
  ];
}
