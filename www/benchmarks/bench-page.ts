import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { Page } from '@playwright/test';

const types: Record<string, string> = {
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

declare global {
  interface Window {
    benchAsk(worker: string, script: string, question: string, body?: unknown): Promise<unknown>;
    benchEnd(): void;
  }
}

/** An empty, isolated page with workers that are asked by name. */
export class BenchPage {
  private constructor(
    readonly page: Page,
    private readonly close: () => void,
  ) {}

  /** Serves each folder, or file, under the address that it is listed by. */
  static async open(page: Page, places: Record<string, string>): Promise<BenchPage> {
    const server = createServer((request, response) => {
      const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
      // Threads of peers need shared memory, which a page gets that is isolated.
      const isolated = {
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      };
      if (path === '/') return response.writeHead(200, { ...isolated, 'content-type': 'text/html' }).end();
      const place = Object.keys(places).find((place) => path === place || path.startsWith(`${place}/`));
      const file = place === undefined ? '' : join(places[place] ?? '', path.slice(place.length));
      if (!existsSync(file)) return response.writeHead(404).end();
      const type = types[extname(file)] ?? 'application/octet-stream';
      response.writeHead(200, { ...isolated, 'content-type': type });
      return createReadStream(file).pipe(response);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.evaluate(() => {
      const workers = new Map<string, Worker>();
      let last = 0;
      window.benchAsk = (name, script, question, body) =>
        new Promise((resolve, reject) => {
          const worker = workers.get(name) ?? new Worker(script, { type: 'module' });
          workers.set(name, worker);
          last += 1;
          const id = last;
          const listen = ({ data }: MessageEvent) => {
            if (data.id !== id) return;
            worker.removeEventListener('message', listen);
            if (data.error === undefined) resolve(data.answer);
            else reject(new Error(`${name}: ${data.error}`));
          };
          worker.addEventListener('message', listen);
          worker.addEventListener('error', (event) => reject(new Error(`${name}: ${event.message}`)));
          worker.postMessage({ id, question, body });
        });
      window.benchEnd = () => {
        for (const worker of workers.values()) worker.terminate();
        workers.clear();
      };
    });
    return new BenchPage(page, () => server.close());
  }

  /** Asks the worker `name`, which runs `script`. */
  ask<Answer>(name: string, script: string, question: string, body?: unknown): Promise<Answer> {
    return this.page.evaluate(
      ([name, script, question, body]) => window.benchAsk(name, script, question, body) as Promise<never>,
      [name, script, question, body] as const,
    );
  }

  /** Ends all workers, which frees what they hold. */
  endWorkers(): Promise<void> {
    return this.page.evaluate(() => window.benchEnd());
  }

  end(): void {
    this.close();
  }
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
};
