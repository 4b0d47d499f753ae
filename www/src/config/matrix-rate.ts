import type { SessionSettings } from '../protocol';

/** What the scale of adapters follows from. */
type Scaled = Pick<SessionSettings, 'alpha' | 'rank'> & Partial<Pick<SessionSettings, 'use_rslora'>>;

/** s of ΔW = s · B · A: alpha / rank, or with rsLoRA alpha / √rank. */
export function scaleOf({ alpha, rank, use_rslora = false }: Scaled): number {
  return alpha / (use_rslora ? Math.sqrt(rank) : rank);
}

/**
 * The rate of the step on ΔW itself that a preconditioned gradient step amounts to once B has grown: lr · s². By it
 * learning rates of different alpha and rank can be compared.
 */
export function matrixRate(lr: number, session: Scaled): number {
  return lr * scaleOf(session) ** 2;
}
