import { defineConfig } from '@playwright/test';
import base from '../playwright.config';

/** Benchmarks take as long as they take, and are no tests: `npm run e2e` does not see them. A click has its limit. */
export default defineConfig({
  ...base,
  testDir: '.',
  timeout: 3_600_000,
  use: { ...base.use, actionTimeout: 60_000 },
});
