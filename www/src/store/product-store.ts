import { findAdapter } from '../engine/engine-choice';
import type { ProductTable } from '../protocol';

/** Names the adapter; `null` where there is none to name. */
async function place(): Promise<string | null> {
  const adapter = await findAdapter();
  if (adapter === null || adapter === undefined) return null;
  const { vendor, architecture, description } = adapter;
  return `riemann-lora.products.${[vendor, architecture, description].join('/')}`;
}

/** How this adapter computes products, as an earlier start measured it. The engine checks what it says. */
export async function recallProducts(): Promise<ProductTable | null> {
  try {
    const key = await place();
    const kept = key === null ? null : localStorage.getItem(key);
    return kept === null ? null : JSON.parse(kept);
  } catch {
    // Storage may be forbidden, and what is in it damaged: then it is measured again.
    return null;
  }
}

/** Keeps it for the next start. */
export async function keepProducts(products: ProductTable): Promise<void> {
  try {
    const key = await place();
    if (key !== null) localStorage.setItem(key, JSON.stringify(products));
  } catch {
    // As above: the next start measures again.
  }
}
