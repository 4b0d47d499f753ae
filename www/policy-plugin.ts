import type { Plugin } from 'vite';
import { headersFile, pagePolicy } from './policy.ts';

/** Puts the policy into the built page, and `_headers` beside it. The development server has what reloading needs. */
export function policy(): Plugin {
  return {
    name: 'riemann-lora:policy',
    apply: 'build',
    transformIndexHtml(html) {
      const place = /(<meta\s+http-equiv="Content-Security-Policy"\s+content=")[^"]*(")/;
      if (!place.test(html)) throw new Error('index.html has no place for the policy');
      return html.replace(place, (_, before: string, after: string) => `${before}${pagePolicy}${after}`);
    },
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: '_headers', source: headersFile() });
    },
  };
}
