import { describe, expect, test } from 'vitest';
import { type ChartPicture, chartSvg } from '../src/charts/chart-svg';
import type { PictureLook } from '../src/charts/svg-document';
import type { Config } from '../src/config/config';
import { defaultConfig } from '../src/config/defaults';
import { settingsOf } from '../src/config/presets';
import { ExperimentMetrics } from '../src/metrics/experiment-metrics';
import { quantities } from '../src/metrics/quantities';
import { PRESETS, type RunReport, type StepReport } from '../src/protocol';
import { linkTo, readLink, withoutSettings } from '../src/share/link';
import { metricsDocument } from '../src/share/metrics-document';
import { metricsColumns, metricsCsv, metricsRows } from '../src/share/metrics-table';
import { diagnosticsOf } from './fake-worker';

const page = 'https://example.org/lab/';
const fragmentOf = (link: string) => link.slice(link.indexOf('#'));

/** Seeded numbers from 0 to 1, so that a failure comes again. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A configuration in which every field may differ from its default. */
function anyConfig(seed: number): Config {
  const random = numbers(seed);
  const some = <Value>(values: readonly Value[]) => values[Math.floor(random() * values.length)] as Value;
  const whole = (most: number) => Math.floor(random() * most);
  const config = defaultConfig();
  Object.assign(config.session, {
    rank: 1 + whole(64),
    alpha: random() * 64,
    dropout: random() * 0.5,
    targets: some([['q_proj'], ['gate_proj', 'k_proj'], ['c_attn']]),
    batch_size: 1 + whole(16),
    steps: 1 + whole(1000),
    seed: whole(2 ** 32),
    diagnostics: some([true, false]),
  });
  config.runs = Array.from({ length: 1 + whole(6) }, (_, index) => {
    const optimizer = { ...settingsOf(some(PRESETS), config.session.steps), lr: random() * 10 ** -whole(7) };
    optimizer.max_grad_norm = some([null, random() * 5]);
    optimizer.betas = [random() * 0.99, random() * 0.99];
    return { name: some(['Plain', 'Ünïcode ☃ 名', '=1+1', '"quoted", comma']), style: index, optimizer };
  });
  Object.assign(config.data, {
    format: some([null, 'text', 'table']),
    columns: some([null, { prompt: ['a', 'b'], completion: 'c' }]),
    documents: some(['file', 'blank_line']),
    prompt_style: some(['plain', 'chat']),
    loss_on: some(['completion', 'all']),
    sequence_length: 2 + whole(500),
    validation: some(['none', { count: whole(100) }, { at_most: { share: 0.1, count: whole(100) } }]),
    maximum_examples: some([null, 1 + whole(5000)]),
    seed: whole(100),
  });
  Object.assign(config.sample, {
    prompt: some(['', 'Zeile\nzwei: ß & #?']),
    temperature: random(),
    seed: whole(9),
  });
  Object.assign(config, {
    sampleAround: some([true, false]),
    validationEvery: whole(50),
    checkpointEvery: whole(50),
    engine: some(['auto', 'cpu', 'webgpu']),
  });
  Object.assign(config.view, {
    logScale: some([true, false]),
    smoothing: random() * 0.98,
    quantity: some(quantities),
  });
  return config;
}

describe('links', () => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'carry every setting there and back, %i',
    async (seed) => {
      const config = anyConfig(seed);
      const link = await linkTo(`${page}#theory`, config);
      expect(link.startsWith(`${page}#language/settings=`)).toBe(true);
      expect(link).toMatch(/^[\w:/.#=-]+$/);
      expect(await readLink(fragmentOf(link))).toEqual({ ok: true, value: { config, notes: [] } });
    },
  );

  test('are short enough to be sent', async () => {
    const length = async (config: Config) => (await linkTo(page, config)).length;
    const config = defaultConfig();
    const two = await length(config);
    expect(two).toBeLessThan(1500);
    for (let run = 2; run < 12; run += 1) {
      const [first] = config.runs;
      if (first !== undefined)
        config.runs.push({ ...structuredClone(first), name: `Run ${run}`, style: run % 8 });
    }
    // Each further run is almost the first.
    expect((await length(config)) - two).toBeLessThan(10 * 60);
  });

  test('an address without settings is none', async () => {
    for (const fragment of ['', '#', '#theory', '#train', '#language'])
      expect(await readLink(fragment)).toBeNull();
  });

  test.each(['', '!', 'AAAA', '%%%', 'bm9uc2Vuc2U', '../../x', 'x'.repeat(99)])(
    'nonsense is refused with words: %s',
    async (text) => {
      const answer = await readLink(`#language/settings=${text}`);
      expect(answer).toMatchObject({ ok: false, failure: { message: expect.stringContaining('link') } });
    },
  );

  test('a link that was cut is refused', async () => {
    const link = fragmentOf(await linkTo(page, defaultConfig()));
    for (const share of [0.3, 0.6, 0.95]) {
      const answer = await readLink(link.slice(0, Math.floor(link.length * share)));
      expect(answer?.ok ?? false).toBe(false);
    }
  });

  const linkOf = async (value: unknown) => {
    const packed = new Blob([JSON.stringify(value)])
      .stream()
      .pipeThrough(new CompressionStream('deflate-raw'));
    const bytes = Buffer.from(await new Response(packed).arrayBuffer());
    return `#language/settings=${bytes.toString('base64url')}`;
  };

  test('what a small text unpacks to is limited', async () => {
    const answer = await readLink(await linkOf({ version: 1, sample: { prompt: 'a'.repeat(1e7) } }));
    expect(answer?.ok).toBe(false);
  });

  test('of another version is refused', async () => {
    for (const value of [null, 7, 'x', [], {}, { version: 2 }]) {
      expect(await readLink(await linkOf(value))).toMatchObject({ ok: false });
    }
  });

  test('says field by field what was not usable', async () => {
    const answer = await readLink(
      await linkOf({
        version: 1,
        session: { rank: 'many', alpha: 3 },
        runs: [{ name: 'A', style: -2 }],
        view: { smoothing: 7 },
      }),
    );
    if (answer === null || !answer.ok) throw new Error('it can be read');
    const { config, notes } = answer.value;
    expect(config.session.alpha).toBe(3);
    expect(config.runs).toHaveLength(1);
    expect(config.runs[0]?.style).toBe(0);
    expect(config.view.smoothing).toBe(defaultConfig().view.smoothing);
    expect(notes.join()).toMatch(/session\.rank.*view\.smoothing.*runs\.0\.style/s);
  });

  test('leave the address as the route that it was', async () => {
    expect(withoutSettings(fragmentOf(await linkTo(page, defaultConfig())))).toBe('#language');
    expect(withoutSettings('#theory')).toBe('#theory');
  });
});

function report(step: number, losses: (number | null)[], diagnostics = true): StepReport {
  const runs = losses.map((loss): RunReport => {
    return {
      loss,
      grad_norm: loss,
      lr: 1e-3,
      diverged_at: loss === null ? step : null,
      diagnostics: diagnostics ? diagnosticsOf(step) : null,
    };
  });
  const seconds = { forward: 1, backward: 1, precondition: 1, update: 1, total: 4 };
  return { step, runs, tokens: 1, counted_tokens: 1, seconds, memory_bytes: 1 };
}

/** Two runs of two steps, the second of which diverges. */
function measured() {
  const metrics = new ExperimentMetrics(2, 5);
  metrics.recordEvaluation([0, 1], { step: 0, losses: [4, 4], seconds: 1 });
  metrics.recordStep([0, 1], report(1, [3, 3]), 0, 1);
  metrics.recordStep([0, 1], report(2, [0.1 + 0.2, null]), 0, 1);
  metrics.recordEvaluation([0, 1], { step: 2, losses: [2, null], seconds: 1 });
  return metrics;
}

describe('numbers', () => {
  test('are rows of a run and a step each', () => {
    const rows = metricsRows(measured(), defaultConfig().runs);
    expect(rows.map(({ run, step }) => `${run} ${step}`)).toEqual([
      'AdamW 0',
      'AdamW 1',
      'AdamW 2',
      'Scaled AdamW 0',
      'Scaled AdamW 1',
      'Scaled AdamW 2',
    ]);
    expect(Object.keys(rows[0] ?? {})).toEqual(metricsColumns);
    expect(rows[0]).toMatchObject({ method: 'AdamW', loss: null, validation_loss: 4, norm_a: null });
    expect(rows[2]).toMatchObject({ loss: 0.1 + 0.2, validation_loss: 2, norm_a: 4, condition_b: 3 });
    expect(rows[5]).toMatchObject({ loss: null, validation_loss: null });
  });

  test('as CSV keep every digit, and a name is no formula', async () => {
    const [first, second] = defaultConfig().runs;
    if (first === undefined || second === undefined) throw new Error('the defaults have two runs');
    const runs = [
      { ...first, name: '=HYPERLINK("x"), "y"' },
      { ...second, name: 'two\nlines' },
    ];
    const csv = await metricsCsv(measured(), runs);
    const [head, ...lines] = csv.trimEnd().split('\r\n');
    expect(head).toBe(metricsColumns.join(','));
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatch(/^"'=HYPERLINK\(""x""\), ""y""",AdamW,0,,4,/);
    expect(lines[2]).toContain(',2,0.30000000000000004,2,');
    expect(lines[3]).toMatch(/^"two\nlines",/);
  });

  test('as JSON come with the settings and a version', () => {
    const config = defaultConfig();
    const metrics = measured();
    const facts = {
      config,
      engine: 'cpu' as const,
      model: undefined,
      data: { name: 'pairs.txt', statistics: undefined },
      page: '1.2.3',
      when: new Date(0),
    };
    const read = JSON.parse(JSON.stringify(metricsDocument(metrics, facts)));
    expect(read).toMatchObject({
      format: 'riemann-lora metrics',
      version: 1,
      page: '1.2.3',
      engine: 'cpu',
      config,
    });
    expect(read).toMatchObject({ saved: '1970-01-01T00:00:00.000Z', steps: 5, steps_done: 2 });
    expect(read.runs[0]).toMatchObject({
      name: 'AdamW',
      method: 'AdamW',
      diverged_at: null,
      loss: [3, 0.1 + 0.2],
      validation: [
        { step: 0, loss: 4 },
        { step: 2, loss: 2 },
      ],
      norm_b: [0, 1],
    });
    expect(read.runs[1]).toMatchObject({ loss: [3, null], diverged_at: 2 });
  });

  test('that were never measured are not there', () => {
    const metrics = new ExperimentMetrics(1, 1);
    metrics.recordStep([0], report(1, [3], false), 0, 1);
    const facts = {
      config: { ...defaultConfig(), runs: defaultConfig().runs.slice(0, 1) },
      engine: 'cpu' as const,
      model: undefined,
      data: { name: '', statistics: undefined },
      page: '',
      when: new Date(0),
    };
    expect(metricsDocument(metrics, facts).runs[0]).not.toHaveProperty('norm_a');
  });
});

const look: PictureLook = {
  ground: 'rgb(255, 255, 255)',
  ink: 'rgb(0, 0, 0)',
  quietInk: 'rgb(90, 90, 90)',
  grid: 'rgb(230, 230, 230)',
  font: '"Some Sans", sans-serif',
  colourOf: (style) => `rgb(${style}, 0, 0)`,
  dashOf: (style) => (style === 0 ? [] : [8, 4]),
};

function picture(edit: Partial<ChartPicture['state']> = {}): ChartPicture {
  const state = {
    steps: [1, 2, 4],
    curves: [
      { run: { style: 0 }, values: [3, null, 1], faint: false },
      { run: { style: 1 }, values: [3, 2, 2], faint: true },
    ],
    marks: [{ run: { style: 1 }, step: 4 }],
    logScale: false,
    ceiling: 10,
    lastStep: 4,
    ...edit,
  };
  const legend = [
    { style: 0, name: 'A & <b>' },
    { style: 1, name: 'B\u0000' },
  ];
  return { title: 'Training loss', stepName: 'Step', state, logSteps: false, points: false, legend };
}

describe('pictures of charts', () => {
  const pathOf = (svg: string, colour: string) =>
    new RegExp(`<path d="([^"]*)" stroke="${colour}"`).exec(svg)?.[1];

  test('a curve goes through its values and bridges gaps', () => {
    const svg = chartSvg(picture(), look);
    const places = (pathOf(svg, 'rgb\\(0, 0, 0\\)') ?? '').slice(1).split('L');
    expect(places).toHaveLength(2);
    const [first, last] = places.map((place) => place.split(' ').map(Number));
    // Four steps from left to right, and a smaller loss lower on the page.
    expect(first?.[0]).toBeCloseTo(76 + (960 - 28 - 76) / 4, 1);
    expect(last?.[0]).toBeCloseTo(960 - 28, 1);
    expect(last?.[1]).toBeGreaterThan(first?.[1] ?? 0);
  });

  test('names are text and nothing else', () => {
    const svg = chartSvg(picture(), look);
    expect(svg).toContain('>A &amp; &lt;b&gt;<');
    expect(svg).not.toContain('\u0000');
    expect(svg).toContain('font-family="&quot;Some Sans&quot;, sans-serif"');
    expect(svg).toContain('<title>Training loss</title>');
  });

  test('equal ratios are equal lengths on a logarithmic axis', () => {
    const values = [1, 10, 100];
    const curves = [{ run: { style: 0 }, values, faint: false }];
    const svg = chartSvg(picture({ steps: [1, 2, 3], curves, logScale: true, ceiling: 1000 }), look);
    const ys = (pathOf(svg, 'rgb\\(0, 0, 0\\)') ?? '')
      .slice(1)
      .split('L')
      .map((place) => Number(place.split(' ')[1]));
    expect((ys[0] ?? 0) - (ys[1] ?? 0)).toBeCloseTo((ys[1] ?? 0) - (ys[2] ?? 0), 1);
    expect(svg).toContain('>10</text>');
  });

  test('without values, or with one, it is a picture still', () => {
    const none = chartSvg(picture({ steps: [], curves: [], marks: [] }), look);
    const one = chartSvg(
      picture({ steps: [1], curves: [{ run: { style: 0 }, values: [2], faint: false }], lastStep: 1 }),
      look,
    );
    expect(one).toContain('<circle');
    for (const svg of [none, one]) {
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      expect(svg.trimEnd().endsWith('</svg>')).toBe(true);
    }
  });

  test('many names take more lines and leave less height, and none is lost', () => {
    const legend = Array.from({ length: 12 }, (_, style) => ({
      style,
      name: `A run with a long name ${style}`,
    }));
    const svg = chartSvg({ ...picture(), legend }, look);
    for (const { name } of legend) expect(svg).toContain(name);
  });
});
