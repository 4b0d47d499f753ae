import { failed } from '../result';
import type { Loadable } from './loadable';
import type { TrainingPhase } from './training';

/** What the page shows about training. */
export type LabPhase = 'idle' | 'preparing' | TrainingPhase;

type Status = Loadable<unknown>['status'];

/** What a lab does that takes time, and how far each may be. */
export interface Tasks {
  engine: Status;
  model: Status;
  data: Status;
  training: LabPhase;
}

export type Task = keyof Tasks;

/** How far something is, and the attempt that brought it there; 0 is none. */
export interface Stage<Step> {
  step: Step;
  attempt: number;
}

/** All that is decided about in one place: what the lab has, and what it is busy with. */
export type LabState = { [Name in Task]: Stage<Tasks[Name]> } & {
  /** Somebody starts one training after the other; nobody else may start, load or read. */
  reserved: boolean;
};

/** Something that an attempt tells of its task. */
export type LabEvent = { [Name in Task]: { task: Name; attempt: number; step: Tasks[Name] } }[Task];

/** What a lab begins with. */
export const nothingYet: LabState = {
  engine: { step: 'none', attempt: 0 },
  model: { step: 'none', attempt: 0 },
  data: { step: 'none', attempt: 0 },
  training: { step: 'idle', attempt: 0 },
  reserved: false,
};

// What was read leaves with the model that it was read for.
const loads: Record<Status, readonly Status[]> = {
  none: [],
  loading: ['loading', 'ready', 'failed', 'none'],
  ready: ['none'],
  failed: ['none'],
};

/** Where an attempt may go from where it is. */
const ways: { [Name in Task]: Record<Tasks[Name], readonly Tasks[Name][]> } = {
  engine: loads,
  model: loads,
  data: loads,
  training: {
    idle: [],
    preparing: ['running', 'pausing', 'stopped', 'failed'],
    running: ['pausing', 'finished', 'stopped', 'failed'],
    pausing: ['running', 'paused', 'finished', 'stopped', 'failed'],
    paused: ['running', 'pausing', 'stopped', 'failed'],
    // What is over leaves with the model or the data that it belongs to.
    finished: ['idle'],
    stopped: ['idle'],
    failed: ['idle'],
  },
};

const beginnings: { [Name in Task]: Tasks[Name] } = {
  engine: 'loading',
  model: 'loading',
  data: 'loading',
  training: 'preparing',
};

/** The state after an event; the same object where it comes too late, or where there is no such way. */
export function next(state: LabState, event: LabEvent): LabState {
  const { task, attempt, step } = event;
  const now: Stage<string> = state[task];
  const begins = attempt > now.attempt && step === beginnings[task];
  const onwards: Partial<Record<string, readonly string[]>> = ways[task];
  const goesOn = attempt === now.attempt && (onwards[now.step] ?? []).includes(step);
  return begins || goesOn ? { ...state, [task]: { step, attempt } } : state;
}

/** Whether a training has begun that is not over. */
export function isTraining({ training }: LabState): boolean {
  return ['preparing', 'running', 'pausing', 'paused'].includes(training.step);
}

/** What a user may want of a lab. */
export type Wish = 'engine' | 'model' | 'data' | 'adapter' | 'start';

/** Why that is not possible now, with a way out; undefined where it is. What must only wait is no refusal. */
export function refusal(state: LabState, wish: Wish) {
  const busy = isTraining(state);
  if (busy || (state.reserved && wish !== 'start')) {
    const what = state.reserved ? 'sweep' : 'training';
    const after: Record<Wish, string> = {
      engine: 'the engine changes when the next one starts',
      model: 'load the model when it is over',
      data: 'choose the data when it is over',
      adapter: 'choose the adapter when it is over',
      start: 'start again when it is over',
    };
    return failed(wish === 'start' ? 'run' : wish, `A ${what} goes on. Stop it first, or ${after[wish]}.`);
  }
  if (wish === 'adapter' && state.model.step !== 'ready')
    return failed('adapter', 'Load the model that the adapter was made for first.');
  if (wish === 'start' && state.model.step !== 'ready') return failed('model', 'Load a model first.');
  return undefined;
}
