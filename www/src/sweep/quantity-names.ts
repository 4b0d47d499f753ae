import type { SweepQuantity } from './config';

/** What each quantity is called in a sentence. */
export const quantityNames: Record<SweepQuantity, string> = {
  lr: 'learning rate',
  rank: 'rank',
  damping: 'damping',
};
