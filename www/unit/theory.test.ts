import { describe, expect, test } from 'vitest';
import type { TheoryGeometry, TheorySettings } from '../src/protocol';
import { stateOf } from '../src/theory/chart-state';
import { checkTheory } from '../src/theory/check';
import { defaultTheory } from '../src/theory/config';
import { type MethodCurve, TheoryLab } from '../src/theory/lab';
import { readTheoryLink, theoryLink } from '../src/theory/link';
import { assumptionWords, invarianceWords, iterationsOf, sentenceOf } from '../src/theory/words';
import { FakeWorker } from './fake-worker';

function settings(edit: (settings: TheorySettings) => void = () => {}): TheorySettings {
  const made = defaultTheory();
  edit(made);
  return made;
}

function curve(part: Partial<MethodCurve> = {}): MethodCurve {
  const ends = { arrived_at: null, diverged_at: null, recovery: 0.5, departure: 0, done: true };
  return { method: 'gd', lr: 0.1, iterations: [0, 1, 2], errors: [1, 0.5, 0.25], ...ends, ...part };
}

describe('settings are checked', () => {
  test('and the defaults are good', () => expect(checkTheory(settings()).size).toBe(0));

  test.each<[string, (settings: TheorySettings) => void]>([
    ['planted_condition', ({ problem }) => Object.assign(problem, { planted_condition: 0.5 })],
    ['data_condition', ({ problem }) => Object.assign(problem, { data_condition: Number.NaN })],
    ['factor_condition', ({ problem }) => Object.assign(problem, { factor_condition: 0 })],
    ['rank', ({ problem }) => Object.assign(problem, { rank: 11 })],
    ['rank', ({ problem }) => Object.assign(problem, { rank: 2.5 })],
    ['seed', ({ problem }) => Object.assign(problem, { seed: -1 })],
    ['lr.gd', ({ lr }) => Object.assign(lr, { gd: -1 })],
    ['lr.scaled_gd', ({ lr }) => Object.assign(lr, { scaled_gd: Number.POSITIVE_INFINITY })],
  ])('at %s', (field, edit) => {
    const problems = checkTheory(settings(edit));
    expect([...problems.keys()]).toEqual([field]);
    expect(problems.get(field)).toContain('must be');
  });

  test('but rates that a grid replaces are not', () => {
    const edit = (made: TheorySettings) => {
      made.best_of_grid = true;
      made.lr.gd = -1;
    };
    expect(checkTheory(settings(edit)).size).toBe(0);
  });
});

describe('what became of a method', () => {
  test('in words', () => {
    expect(sentenceOf(curve({ arrived_at: 175 }))).toBe('GD reached 1e-6 after 175 iterations.');
    expect(sentenceOf(curve({ diverged_at: 7 }))).toBe('GD diverged at iteration 7.');
    expect(sentenceOf(curve())).toContain('within 3,000 iterations; its error is 0.2500');
    expect(iterationsOf(curve({ done: false }))).toBe('…');
    expect(iterationsOf(curve())).toBe('more than 3,000');
  });

  test('as curves over the iterations of all', () => {
    const state = stateOf([
      curve(),
      curve({ iterations: [0, 2, 5], errors: [1, Number.POSITIVE_INFINITY, 0], diverged_at: 5 }),
    ]);
    expect(state.steps).toEqual([1, 2, 5]);
    expect(state.curves.map(({ values }) => values)).toEqual([
      [0.5, 0.25, null],
      [null, null, null],
    ]);
    expect(state.marks).toEqual([{ run: { style: 1 }, step: 5 }]);
  });

  test('and whether the theorem speaks of the problem', () => {
    const geometry = { isometry_constant: 0, overlap: 0, allowed_overlap: 0.001 } as TheoryGeometry;
    expect(assumptionWords(geometry)).toContain('holds');
    expect(assumptionWords({ ...geometry, overlap: 1 })).toContain('patterns share');
    expect(assumptionWords({ ...geometry, isometry_constant: 0.5 })).toContain('near-isometries');
  });
});

describe('the lab', () => {
  test('joins the pieces of a curve', async () => {
    const lab = new TheoryLab(() => new FakeWorker());
    await lab.run(settings());
    const { phase, curves } = lab.state.value;
    expect(phase).toBe('finished');
    expect(curves[0]?.iterations).toEqual([0, 1, 2]);
    expect(curves[0]?.arrived_at).toBe(2);
  });

  test('shows only the problem that was asked for last', async () => {
    const lab = new TheoryLab(() => new FakeWorker());
    const seen = new Set<number | undefined>();
    lab.state.subscribe(({ curves }) => {
      if (curves.length > 0) seen.add(curves[0]?.errors[0]);
    });
    const with_ = (data_condition: number) =>
      settings(({ problem }) => Object.assign(problem, { data_condition }));
    await Promise.all([lab.run(with_(10)), lab.run(with_(100)), lab.run(with_(4))]);
    expect([...seen]).toEqual([0.25]);
    expect(lab.state.value.phase).toBe('finished');
  });

  test('tells nothing more of a problem that was left', async () => {
    const lab = new TheoryLab(() => new FakeWorker());
    await lab.run(settings());
    lab.leave();
    expect(lab.state.value.phase).toBe('starting');
    expect(lab.state.value.curves[0]?.iterations).toEqual([0, 1, 2]);
    const running = lab.run(settings());
    lab.leave();
    await running;
    expect(lab.state.value.phase).toBe('starting');
  });

  test('tells where a setting was refused', async () => {
    const failure = { place: 'theory', field: 'rank', message: 'rank must be less' };
    const lab = new TheoryLab(() => new FakeWorker((worker) => Object.assign(worker, { refuses: failure })));
    await lab.run(settings());
    expect(lab.state.value).toMatchObject({ phase: 'failed', failure });
  });
});

describe('a link to a problem', () => {
  const read = (link: string) => readTheoryLink(link.slice(link.indexOf('#')));

  test('brings it back as it was', () => {
    const mine = settings(({ problem, lr }) => {
      Object.assign(problem, {
        problem: 'low_rank_recovery',
        start: 'spectral',
        data_condition: 31.6,
        rank: 4,
        seed: 7,
      });
      lr.gd = 0.123;
    });
    expect(read(theoryLink('https://example.org/lab/#theory', mine))).toEqual({ ok: true, value: mine });
    const grid = settings((one) => Object.assign(one, { best_of_grid: true }));
    expect(read(theoryLink('https://example.org/', grid))).toEqual({ ok: true, value: grid });
  });

  test('that names a part of it leaves the rest to the defaults', () => {
    const mine = settings(({ problem }) => Object.assign(problem, { data_condition: 100 }));
    expect(readTheoryLink('#theory/data_condition=100')).toEqual({ ok: true, value: mine });
    expect(readTheoryLink('#theory')).toBeNull();
    expect(readTheoryLink('#language/settings=abc')).toBeNull();
  });

  test('that makes no sense says why', () => {
    const reasons: [string, string][] = [
      ['problem=toString', 'no problem toString'],
      ['start=0', 'no start 0'],
      ['rank=', 'Rank must be'],
      ['planted_condition=1e9', 'from 1 to 1000'],
      ['damping=-1', 'damping must be'],
      ['lr.gd=fast', 'Learning rate must be'],
    ];
    for (const [part, reason] of reasons) {
      const answer = readTheoryLink(`#theory/${part}`);
      expect(answer?.ok === false && answer.failure.message).toContain(reason);
    }
  });
});

describe('invariance is told of each method', () => {
  const gd = curve({ arrived_at: 2 });
  const scaled = curve({ method: 'scaled_gd', arrived_at: 2 });

  test('by how far errors at the same iterations are apart', () => {
    const other = [curve({ arrived_at: 3, errors: [1, 0.9, 0.8] }), { ...scaled, errors: [1, 0.5001, 0.25] }];
    expect(invarianceWords([gd, scaled], other, 10)).toBe(
      'From BR and R⁻¹A with a condition of R of 10, the same product: GD takes another path (iterations: 2 and 3); ' +
        'Scaled GD takes the same path (errors differ by at most 2.00e-4 of themselves).',
    );
  });

  test('and one that diverges from one of the starts has seen it', () => {
    const other = [{ ...gd, arrived_at: null, diverged_at: 2, errors: [1, 0.5, Number.POSITIVE_INFINITY] }];
    expect(invarianceWords([gd], other, 3)).toContain(
      'GD takes another path (iterations: 2 and diverged at 2)',
    );
  });
});
