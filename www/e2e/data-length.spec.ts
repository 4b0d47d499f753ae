import { expect, test } from './lab-test';

/** Of 20 pairs, half are longer than the default length, and one than what the model reads at once. */
const long = Array.from({ length: 20 }, (_, index) => {
  const words = index === 0 ? 80 : index % 2 === 0 ? 30 : 2;
  return `thing ${index}||${'The stone is red. '.repeat(words).slice(0, words * 6)}`;
}).join('\n');

test('the sequence length follows data that would be cut, and what still is stands beside Start', async ({
  lab,
}) => {
  const { page } = lab;
  await lab.loadModel();
  await lab.loadText(long, 'long.txt');
  await expect(page.locator('#length-followed')).toContainText('of the examples lose their end');
  await expect(page.locator('#length-followed')).toContainText('set to 128');
  await page.locator('#data .options > summary').click();
  await expect(lab.field('sequence_length').locator('input')).toHaveValue('128');
  await expect(page.locator('#status')).toContainText('At 128 tokens');
  await expect(page.locator('#cut')).toContainText('The model reads no more at once');
  await page.getByRole('button', { name: 'Back to 64 tokens' }).click();
  await expect(page.locator('#length-followed')).toBeHidden();
  await expect(page.locator('#status')).toContainText('At 64 tokens');
  await page.getByRole('button', { name: 'Take 128 tokens' }).click();
  await expect(page.locator('#status')).toContainText('At 128 tokens');
  await expect(lab.button('start')).toBeEnabled();
});

test('rows beyond the most that are read are said, and read with a click', async ({ lab }) => {
  const { page } = lab;
  await lab.loadModel();
  await page.locator('#data .options > summary').click();
  await lab.set('maximum_examples', '30');
  await lab.loadText(Array.from({ length: 60 }, (_, index) => `a ${index}||b ${index}`).join('\n'));
  await expect(page.locator('#most-examples')).toContainText('the first 30 examples');
  await page.getByRole('button', { name: 'Read all' }).click();
  await expect(page.locator('#most-examples')).toBeHidden();
  await expect(page.locator('#data .facts').first()).toContainText('54');
});
