import './facts.css';
import { fill, h } from './dom';

// Longer values take the whole line.
const SHORT = 18;

/** Names and values, read as pairs. */
export function factList(name: string) {
  const element = h('dl', { class: 'facts', 'aria-label': name });
  return {
    element,
    show(facts: readonly (readonly [string, string])[]) {
      const pairs = facts.map(([term, value]) =>
        h('div', { class: value.length > SHORT ? 'wide' : '' }, h('dt', {}, term), h('dd', {}, value)),
      );
      fill(element, ...pairs);
    },
  };
}
