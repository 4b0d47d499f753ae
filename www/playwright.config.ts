import { defineConfig } from '@playwright/test';
import { quiet } from './chromium';

export default defineConfig({
  testDir: './e2e',
  outputDir: './test-results',
  // Two workers of the page train on two cores; a second browser beside them would only make both slow.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [['list']],
  use: {
    // What a service worker answers no test could watch or change; the specs that are about it allow it.
    serviceWorkers: 'block',
    viewport: { width: 1280, height: 900 },
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: quiet,
    },
  },
});
