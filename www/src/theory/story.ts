import { h } from '../controls/dom';

/** What the paper claims, what these problems show, and under which assumptions. */
export function theoryStory(): HTMLElement {
  return h(
    'div',
    { class: 'stack story' },
    h(
      'p',
      {},
      h('strong', {}, 'The claim. '),
      'For a two-layer ReLU network in its convex form, Theorem 7.4 lets the distance of scaled GD from the solution shrink by a factor of 1 − 0.5 · lr a step, whatever the condition number of the data.',
    ),
    h(
      'p',
      {},
      h('strong', {}, 'What holds. '),
      'Move the condition of the change: scaled GD keeps its pace, and GD slows down until it does not arrive. This is where the preconditioner comes from, and low-rank recovery shows it without a network.',
    ),
    h(
      'p',
      {},
      h('strong', {}, 'What does not. '),
      'Move the condition of the data: scaled GD slows down as GD does. The theorem does not contradict this. Its Assumption 7.2 wants every block Dᵢ X to keep squared lengths up to 1 %, so that its condition number is at most 1.01, and wants the patterns to share almost no row. Sampled patterns share about half of theirs.',
    ),
    h(
      'p',
      {},
      h('strong', {}, 'A way out. '),
      'With XᵢᵀXᵢ in the metric as well, which is scaled GD on whitened blocks, low-rank recovery and patterns that share no row take the same iterations at every condition number. With sampled patterns some growth is left, from their overlap. This variant is ours and not the paper’s.',
    ),
  );
}
