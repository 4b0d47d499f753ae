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
    h(
      'p',
      {},
      h('strong', {}, 'Why it works. '),
      'The product BA has many factors: BR and R⁻¹A for every invertible R. Scaled GD, data-scaled GD and tangent GD do not see R; GD does, and so depends on an accident of the start. Test invariance starts all of them from both.',
    ),
    h(
      'p',
      {},
      h('strong', {}, 'What the flow conserves. '),
      'In the limit of small steps scaled GD keeps log det(AAᵀ + δI) − log det(BᵀB + δI) as it is, whatever the loss. From B = 0 its first steps leave the flow at once: B grows from nothing, and A, which would have to grow with it by √(1 + σ²/δ), stays. From the spectral start with small rates it hardly departs. Tangent GD keeps it as far as δ is small beside the factors. This is our derivation and not in the paper.',
    ),
    h(
      'p',
      {},
      h('strong', {}, 'Gradient or update? '),
      'The proof of Theorem 4.1 multiplies AdamW’s update by the inverses; the paper trains with gradients multiplied before AdamW sees them, because that works better. On a language model both can be chosen, under Multiplies.',
    ),
  );
}
