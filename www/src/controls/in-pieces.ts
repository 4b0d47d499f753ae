import { byId } from './dom';

/** A section of `index.html` by its id, and what makes its content. */
export type Piece = readonly [id: string, make: () => Node[]];

/**
 * Fills sections one after the other, and lets the browser paint and answer in between. A section is seen from the
 * moment when it is filled (`.building` in `layout.css`), so what stands above never moves.
 */
export async function inPieces(pieces: readonly Piece[]): Promise<void> {
  for (const [id, make] of pieces) {
    const section = byId(id);
    section.append(...make());
    section.classList.add('made');
    await breath();
  }
}

/** A microtask would not do: the browser paints between tasks. */
function breath(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
