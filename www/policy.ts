/**
 * What the built page may do, said three times with the same words: in the page itself, by whoever serves it (workers
 * take their policy from their own response), and in `_headers` for static hosts.
 */

/** Sources by directive. Only `connect-src` reaches elsewhere: models and data come from addresses that the user gives. */
const directives: Record<string, readonly string[]> = {
  'default-src': ["'self'"],
  'script-src': ["'self'", "'wasm-unsafe-eval'"],
  'style-src': ["'self'"],
  // Pictures that a user chose or drew.
  'img-src': ["'self'", 'data:', 'blob:'],
  'worker-src': ["'self'"],
  'connect-src': ["'self'", 'https:'],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
};

/** A page cannot say of itself who may frame it. */
const onlyByResponse = { 'frame-ancestors': ["'none'"] };

function written(of: Record<string, readonly string[]>): string {
  return Object.entries(of)
    .map(([name, sources]) => [name, ...sources].join(' '))
    .join('; ');
}

/** The policy in the page. */
export const pagePolicy = written(directives);

/** Headers of every response. Isolation makes timers finer and memory measurable; the page does without, too. */
export const responseHeaders: Record<string, string> = {
  'Content-Security-Policy': written({ ...directives, ...onlyByResponse }),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** The file in which static hosts (Cloudflare Pages, Netlify) look for headers. */
export function headersFile(): string {
  const lines = Object.entries(responseHeaders).map(([name, value]) => `  ${name}: ${value}`);
  return ['/*', ...lines, ''].join('\n');
}
