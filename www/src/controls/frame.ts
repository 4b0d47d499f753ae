/** A function that runs `work` once in the next frame, however often it is called. */
export function inFrame(work: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}

// Drawing may take this share of the page's time, however much there is to draw …
const SHARE = 0.1;
// … and nobody reads numbers faster than this.
const REST_MS = 80;

/** Work for every step: `soon` rests in proportion to the time that it took; `now` is for what the user asked for. */
export function paced(work: () => void): { soon: () => void; now: () => void } {
  let restsUntil = 0;
  let waiting = false;
  const now = inFrame(() => {
    const began = performance.now();
    work();
    const ended = performance.now();
    restsUntil = ended + Math.max(REST_MS, (ended - began) * (1 / SHARE - 1));
  });
  const soon = () => {
    const rest = restsUntil - performance.now();
    if (rest <= 0) return now();
    if (waiting) return;
    waiting = true;
    setTimeout(() => {
      waiting = false;
      now();
    }, rest);
  };
  return { soon, now };
}
