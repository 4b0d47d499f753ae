import { writeFileSync } from 'node:fs';
import { type Page, test } from '@playwright/test';
import { benchedWebgpu } from '../chromium';
import { BenchPage, median } from './bench-page';

/**
 * One training step in this project and in its peers, in turns, on the same numbers; `scripts/bench peers` says how it is
 * called. BENCH_QUICK takes the small sizes alone, and few steps.
 */
const output = process.env.PEERS_OUTPUT ?? '';
const quick = process.env.BENCH_QUICK !== undefined;
const only = process.env.PEERS_ONLY?.split(',');

test.use({
  launchOptions: { executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: benchedWebgpu },
});

type Engine = 'cpu' | 'webgpu';
type Size = 'small' | 'medium' | 'large';
interface Taken {
  seconds: number;
  check: number;
}
interface Peer {
  name: string;
  script: string;
}

const WORKS = ['layers', 'block', 'head', 'optimizer'] as const;
/** What is asked for, where the time allows it. */
const ROUNDS = quick ? 2 : 9;
/** Enough for a median. */
const ENOUGH = 7;
/** Seconds after which a work has had enough rounds if they are `ENOUGH`, and in which it must have one. */
const PATIENCE = 20;
const MOST = 60;
const MOST_ON_SOFTWARE = 40;
/** Steps whose loss engines must agree in; the losses of the second and third depend on the update. */
const COMPARED = 3;
const TOLERANCE = 1e-3;

const ours: Peer = { name: 'riemann-lora', script: '/peers/ours.js' };
/** Another worker for a second run. */
const second: Peer = { name: 'second run', script: '/peers/ours.js' };
/** Two workers that share the steps of one run, as the lab has it where there are more cores than runs. */
const halves = ['first half', 'second half'];
const SHARED = 'riemann-lora, one run on two workers';
const peers: Peer[] = [
  ours,
  { name: 'jax-js', script: '/peers/jax.js' },
  { name: 'TensorFlow.js', script: '/peers/tensorflow.js' },
];

/** A software adapter computes a hundredth of what a card does: there it is one medium work, and no large one. */
function planOf(engine: Engine, software: boolean): [(typeof WORKS)[number], Size][] {
  const sizes: Size[] = quick ? ['small'] : ['small', 'medium', 'large'];
  return sizes
    .flatMap((size) => WORKS.map((work): [(typeof WORKS)[number], Size] => [work, size]))
    .filter(
      ([work, size]) =>
        engine === 'cpu' || !software || size === 'small' || (work === 'layers' && size === 'medium'),
    )
    .filter(
      ([work, size]) => only === undefined || only.some((one) => `${engine}-${work}-${size}`.startsWith(one)),
    );
}

test('a training step here and in other engines', async ({ page }) => {
  const bench = await BenchPage.open(page, {
    '/peers': process.env.PEERS_FOLDER ?? '',
    '/works': process.env.WORKS_FOLDER ?? '',
    '/tfjs': process.env.TFJS_FOLDER ?? '',
  });
  const software = await page.evaluate(async () => {
    const adapter = await navigator.gpu?.requestAdapter();
    return adapter === null || adapter === undefined ? null : adapter.info.isFallbackAdapter;
  });
  const engines: Engine[] = software === null ? ['cpu'] : ['cpu', 'webgpu'];
  const measured: object[] = [];
  for (const engine of engines) {
    for (const [work, size] of planOf(engine, software === true)) {
      const step = (peer: Peer) => bench.ask<Taken>(peer.name, peer.script, 'step');
      let all = engine === 'cpu' ? [...peers, second] : peers;
      const about: Record<string, unknown> = {};
      for (const { name, script } of all) {
        about[name] = await bench.ask(name, script, 'prepare', { engine, work, size });
      }
      const shares = engine === 'cpu' && work === 'layers';
      for (const name of shares ? halves : [])
        await bench.ask(name, ours.script, 'prepare', { engine, work, size });
      const shared: Taken[] = [];
      const failures: Record<string, string> = {};
      const taken: Record<string, Taken[]> = {};
      const together: number[] = [];
      let began = Number.NaN;
      for (let round = 0; round <= ROUNDS; round += 1) {
        for (const peer of all) {
          try {
            taken[peer.name] = [...(taken[peer.name] ?? []), await step(peer)];
          } catch (error) {
            // What a peer cannot do is a finding; what this project cannot do is a failure.
            if (peer === ours || peer === second) throw error;
            failures[peer.name] = String(error).split('\n')[0] ?? '';
            delete taken[peer.name];
            all = all.filter((other) => other !== peer);
          }
        }
        if (shares) shared.push(await sharedStep(page));
        if (engine === 'cpu') {
          const pair = await Promise.all([step(ours), step(second)]);
          together.push(Math.max(...pair.map(({ seconds }) => seconds)));
          for (const [index, peer] of [ours, second].entries()) {
            taken[peer.name]?.push({ seconds: Number.NaN, check: pair[index]?.check ?? Number.NaN });
          }
        }
        // The first round is not measured: it compiles.
        if (round === 0) began = performance.now();
        const spent = (performance.now() - began) / 1000;
        const most = engine === 'webgpu' && software ? MOST_ON_SOFTWARE : MOST;
        if (round > 0 && spent > (round >= ENOUGH ? PATIENCE : most)) break;
      }
      const checksOf = (name: string) => (taken[name] ?? []).slice(0, COMPARED).map((one) => one.check);
      const mine = checksOf(ours.name);
      for (const { name } of all) {
        const wrong = disagreement(mine, checksOf(name));
        if (wrong === undefined) continue;
        failures[name] = wrong;
        delete taken[name];
      }
      const place = `${engine}, ${work}, ${size}`;
      if (Object.keys(taken).every((name) => name === ours.name || name === second.name)) {
        throw new Error(`${place}: no peer agrees with ours: ${JSON.stringify(failures)}`);
      }
      refuseStill(place, mine);
      const wrong = disagreement(
        mine,
        shared.slice(0, COMPARED).map((one) => one.check),
      );
      if (wrong !== undefined) throw new Error(`${place}: a step on two workers ${wrong}`);
      const seconds: Record<string, number[]> = {};
      for (const [name, list] of Object.entries(taken)) {
        seconds[name] = list
          .map((one) => one.seconds)
          .filter(Number.isFinite)
          .slice(1);
      }
      if (engine === 'cpu') seconds['riemann-lora, two runs at once'] = together.slice(1);
      delete seconds[second.name];
      if (shares) seconds[SHARED] = shared.slice(1).map((one) => one.seconds);
      const found = {
        engine,
        work,
        size,
        rounds: seconds[ours.name]?.length ?? 0,
        median_seconds: Object.fromEntries(
          Object.entries(seconds).map(([name, list]) => [name, Number(median(list).toPrecision(4))]),
        ),
        over: ratios(seconds),
        checks: mine,
        about,
        failures,
      };
      process.stdout.write(`${JSON.stringify(found)}\n`);
      measured.push(found);
      await bench.endWorkers();
    }
  }
  bench.end();
  if (output !== '') writeFileSync(output, JSON.stringify({ software_adapter: software, measured }));
});

/** One step of the run that two workers share; its shards never leave the browser. */
function sharedStep(page: Page): Promise<Taken> {
  return page.evaluate(
    async ([names, script]) => {
      const began = performance.now();
      const shards = await Promise.all(
        names.map((name, shard) => window.benchAsk(name, script, 'shard', { shard, shards: names.length })),
      );
      const losses = await Promise.all(
        names.map((name) => window.benchAsk(name, script, 'stepWithShards', shards)),
      );
      return { seconds: (performance.now() - began) / 1000, check: losses[0] as number };
    },
    [halves, ours.script] as const,
  );
}

/** Our time over a peer's, as the median over rounds: what slows a round slows both. */
function ratios(seconds: Record<string, number[]>): Record<string, number> {
  const over: Record<string, number> = {};
  const mine = seconds[ours.name] ?? [];
  const two = seconds['riemann-lora, two runs at once'];
  for (const { name } of peers.slice(1)) {
    const theirs = seconds[name];
    if (theirs === undefined) continue;
    const paired = (times: number[], runs: number) =>
      Number(
        median(times.map((time, round) => time / (runs * (theirs[round] ?? Number.NaN)))).toPrecision(4),
      );
    over[name] = paired(mine, 1);
    const shared = seconds[SHARED];
    if (shared !== undefined) over[`${name}, one run on two workers`] = paired(shared, 1);
    if (two !== undefined) over[`${name}, two runs`] = paired(two, 2);
  }
  return over;
}

/** What is wrong with a peer's numbers: times of engines that compute different things say nothing. */
function disagreement(mine: number[], theirs: number[]): string | undefined {
  // On slow adapters there are fewer steps.
  const wrong = mine.findIndex((check, step) => {
    const other = theirs[step];
    return other !== undefined && !(Math.abs(other - check) <= TOLERANCE * Math.abs(check));
  });
  if (wrong < 0) return undefined;
  return `computes something else: after step ${wrong + 1} it has ${theirs[wrong]}, ours ${mine[wrong]}`;
}

/** Without an update that shows, nothing says that gradients agree. */
function refuseStill(place: string, checks: number[]): void {
  const [first = Number.NaN] = checks;
  if (checks.length > 1 && checks.every((check) => Math.abs(check - first) <= TOLERANCE * Math.abs(first))) {
    throw new Error(`${place}: updates change the loss too little to be compared: ${checks.join(', ')}`);
  }
}
