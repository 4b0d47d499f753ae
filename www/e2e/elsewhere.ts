import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, type LabPage, modelFiles } from './lab-test';

/** The toy model, as another server has it. */
export const files = new Map(modelFiles.map((path) => [basename(path), readFileSync(path)]));
export const weights = files.get('model.safetensors') ?? Buffer.alloc(0);

/** What the tests ask of other servers is asked of these; nothing leaves the machine. */
export function expectElsewhere(lab: LabPage, ...hosts: string[]): void {
  const others = lab.wrong.splice(0).filter((what) => {
    // Chromium reports refused and broken requests as errors of the page.
    const reported = what.startsWith('console: Failed to load resource') || what.includes('CORS policy');
    return !reported && !hosts.some((host) => what.startsWith(`https://${host}/`));
  });
  expect(others).toEqual([]);
}

/** Asks what there is at an address. */
export async function lookUp(page: Page, address: string): Promise<void> {
  const section = page.locator('#model');
  const chooser = section.getByText('Or from Hugging Face, or any address');
  if (!(await section.getByLabel('Repository or address').isVisible())) await chooser.click();
  await section.getByLabel('Repository or address').fill(address);
  await page.locator('#look-up').click();
}
