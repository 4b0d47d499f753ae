import * as Comlink from 'comlink';

/** Asks a worker for one thing, and ends it. Fails where its script cannot be loaded, too. */
export async function askOnce<Api, Answer>(
  worker: Worker,
  ask: (api: Comlink.Remote<Api>) => Promise<Answer>,
): Promise<Answer> {
  const failed = new Promise<never>((_, reject) => {
    worker.addEventListener('error', ({ message }) =>
      reject(new Error(message || 'its script could not be loaded')),
    );
  });
  try {
    return await Promise.race([ask(Comlink.wrap<Api>(worker)), failed]);
  } finally {
    worker.terminate();
  }
}
