import type { RunDiagnostics, RunReport } from '../protocol';

/** A number of one run at one step, other than its loss. */
export type Quantity = 'grad_norm' | Exclude<keyof RunDiagnostics, 'layers'> | 'lr';

/** All of them, in the order of the page. */
export const quantities: readonly Quantity[] = [
  'grad_norm',
  'norm_a',
  'norm_b',
  'norm_delta',
  'condition_a',
  'condition_b',
  'update_ratio',
  'log_det_ratio',
  'lr',
];

/** The quantity in a report; null where it was not measured or is not finite. */
export function quantityIn(report: RunReport, quantity: Quantity): number | null {
  if (quantity === 'grad_norm' || quantity === 'lr') return report[quantity];
  return report.diagnostics?.[quantity] ?? null;
}
