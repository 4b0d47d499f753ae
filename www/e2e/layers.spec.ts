import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectClean } from './clean';
import { expect, shownAs, test } from './lab-test';

const shots =
  process.env.RIEMANN_LORA_SCREENSHOTS ?? join(import.meta.dirname, '..', 'test-results', 'screenshots');
mkdirSync(shots, { recursive: true });

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [1280, 360]) {
    test.describe(`${scheme}, ${width} px`, () => {
      test.use(shownAs(scheme, width, 800));
      test('every layer of every run has its row on the map', async ({ lab }) => {
        const { page } = lab;
        await lab.withoutSamples();
        await lab.prepare({ steps: 12, validate: 0 });
        const map = page.locator('#layers');
        await map.getByText('Layers', { exact: true }).click();
        await expect(map.locator('.empty')).toHaveText('The map appears here once training starts.');
        await lab.start();
        await lab.finished();
        const cells = map.locator('canvas');
        await expect(cells).toBeVisible();
        // Two blocks with q_proj and v_proj, twelve steps.
        expect(await cells.evaluate((canvas: HTMLCanvasElement) => [canvas.width, canvas.height])).toEqual([
          12, 4,
        ]);
        await expect(cells).toHaveAttribute(
          'aria-label',
          /^AdamW: Norm of ΔW of 4 layers over steps\. At step 12 highest in \d [qv]_proj/,
        );
        // ΔW is 0 at the first step, and grows.
        const colours = () =>
          cells.evaluate((canvas: HTMLCanvasElement) => {
            const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
            const at = (step: number, layer: number) => data[4 * (layer * canvas.width + step) + 3];
            return [at(0, 0), at(11, 0)];
          });
        expect(await colours()).toEqual([0, 255]);
        await map.getByText('Numbers', { exact: true }).click();
        const rows = map.locator('tbody tr');
        await expect(rows).toHaveCount(4);
        await expect(rows.first().locator('th')).toHaveText('0 q_proj');
        for (const text of await rows.first().locator('td').allInnerTexts()) {
          expect(Number.isFinite(Number(text))).toBe(true);
        }
        await map.getByRole('combobox', { name: 'Run' }).selectOption({ label: 'Scaled AdamW' });
        await map.getByRole('combobox', { name: 'Show' }).selectOption({ label: 'σ² / (σ² + δ) of lora_b' });
        await expect(cells).toHaveAttribute('aria-label', /^Scaled AdamW: σ² \/ \(σ² \+ δ\)/);
        await expect(map.locator('.layer-key')).toHaveText('01');
        await expectClean(page);
        await map.screenshot({ path: join(shots, `layers-${scheme}-${width}.png`) });
        const coming = page.waitForEvent('download');
        await map.getByRole('button', { name: 'Save the map of layers as SVG' }).click();
        const svg = readFileSync(await (await coming).path(), 'utf8');
        expect(svg).toContain('Scaled AdamW');
        expect(svg).not.toMatch(/NaN|undefined|var\(/);
      });
    });
  }
}

test('a map that was not measured says so', async ({ lab }) => {
  const { page } = lab;
  await lab.withoutSamples();
  await lab.prepare({ steps: 2, validate: 0 });
  await lab.field('layer_diagnostics').locator('input').uncheck();
  await lab.start();
  await lab.finished();
  const map = page.locator('#layers');
  await map.getByText('Layers', { exact: true }).click();
  await expect(map.locator('.empty')).toContainText('Not measured in this training');
});
