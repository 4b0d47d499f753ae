import { expect, test } from 'vitest';
import { type EngineModule, openModule } from '../src/engine/engine-module';

const module = { default: async () => undefined } as EngineModule;

test('a module that is there is opened', async () => {
  expect(await openModule('cpu', async () => module)).toBe(module);
});

test.each([
  ['its script', () => Promise.reject(new TypeError('Failed to fetch dynamically imported module'))],
  [
    'its wasm',
    async () => ({ ...module, default: () => Promise.reject(new TypeError('HTTP status code is not ok')) }),
  ],
])('a server that has %s no more is said to be newer than the page, with a way out', async (_, bring) => {
  const failure = expect.objectContaining({
    place: 'engine',
    message: expect.stringMatching(/WebGPU engine could not be loaded .*older than its server.*Reload/),
  });
  await expect(openModule('webgpu', bring)).rejects.toEqual(failure);
});
