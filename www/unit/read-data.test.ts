import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KNOWN_ROLES } from '../src/protocol';

const root = join(import.meta.dirname, '..', '..');
const forms = join(root, 'tests', 'fixtures', 'forms');

/** The same rows are asked of the page's reader in tests/everywhere/forms.rs. */
test('an exported script reads every form of data as the page does', () => {
  const answer = execFileSync(
    'python3',
    [join(forms, 'check.py'), join(root, 'www', 'src', 'share', 'read-data.py'), join(forms, 'forms.json')],
    { input: JSON.stringify(KNOWN_ROLES), encoding: 'utf8' },
  );
  // scripts/bench-cases counts them.
  const output = process.env.READ_DATA_OUTPUT;
  if (output !== undefined) writeFileSync(output, answer);
  expect(JSON.parse(answer)).toEqual({ cases: 47, rows: 73, wrong: [] });
});
