import type { EngineName } from '../engine-module';
import type {
  AdapterSummary,
  DataSettings,
  DataSummary,
  EngineReport,
  Failure,
  ModelSummary,
  SessionSettings,
} from '../protocol';
import type { OnProgress, Reply, WorkerApi } from '../worker-api';
import type { AdapterFiles } from './adapter-files';
import type { SpawnWorker, WorkerLink } from './worker-link';

/** Text to train on, wherever it is. */
export interface DataSource {
  name: string;
  blob: Blob;
}

/** Everything a worker must be given before it can train; what it has already is not given again. */
export interface Needs {
  files: File[];
  data: { source: DataSource; settings: DataSettings };
  /** What all runs start from; null is fresh adapters. */
  start: AdapterFiles | null;
}

const tellNobody: OnProgress = () => {};

/** One worker's place: it remembers what its worker was given, so that a new worker can take over. */
export class Seat {
  private link: WorkerLink | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  private given: {
    engine?: EngineReport;
    files?: File[];
    model?: ModelSummary;
    data?: Needs['data'];
    start?: { files: AdapterFiles; summary: AdapterSummary };
  } = {};
  private summary: DataSummary | null = null;

  constructor(
    public engine: EngineName,
    private readonly spawn: SpawnWorker,
  ) {}

  /** Asks the worker, after all earlier questions; a worker that dies meanwhile is an answer too. */
  call<Value>(question: (api: WorkerApi) => Promise<Reply<Value>>): Promise<Reply<Value>> {
    const turn = this.queue.then(async (): Promise<Reply<Value>> => {
      this.link ??= this.spawn();
      const { api, died } = this.link;
      const lost = died.then((failure): Reply<Value> => ({ ok: false, failure, lost: true }));
      const broken = (thrown: unknown): Reply<Value> => ({
        ok: false,
        failure: linkFailure(thrown),
        lost: true,
      });
      const answer = await Promise.race([question(api).catch(broken), lost]);
      // A trapped module answers nonsense to whatever comes next.
      if (!answer.ok && answer.lost) this.kill(answer.failure.message);
      return answer;
    });
    this.queue = turn;
    return turn;
  }

  /** Ends the worker; the next question starts a new, empty one. */
  kill(reason: string): void {
    this.link?.terminate(reason);
    this.link = null;
    this.given = {};
    this.summary = null;
  }

  /** For tests: the worker ends as if the browser had ended it. */
  crash(reason: string): void {
    this.link?.terminate(reason);
  }

  /** For tests: the GPU goes away, and the worker stays to tell. */
  loseDevice(): Promise<void> | undefined {
    return this.link?.api.loseDevice();
  }

  /** Asks the running action to stop. */
  cancel(): void {
    void this.link?.api.cancel();
  }

  async startEngine(): Promise<Reply<EngineReport>> {
    if (this.given.engine !== undefined) return { ok: true, value: this.given.engine };
    const answer = await this.call((api) => api.start(this.engine));
    if (answer.ok) this.given.engine = answer.value;
    return answer;
  }

  async loadModel(files: File[], onProgress: OnProgress = tellNobody): Promise<Reply<ModelSummary>> {
    if (this.given.files === files && this.given.model !== undefined) {
      return { ok: true, value: this.given.model };
    }
    const started = await this.startEngine();
    if (!started.ok) return started;
    // The worker lets go of the old model first: memory of a wasm module never shrinks.
    this.given = { engine: started.value };
    this.summary = null;
    const answer = await this.call((api) => api.loadModel(files, onProgress));
    if (answer.ok) this.given = { engine: started.value, files, model: answer.value };
    return answer;
  }

  async loadData(data: Needs['data'], onProgress: OnProgress = tellNobody): Promise<Reply<DataSummary>> {
    if (this.summary !== null && same(this.given.data, data)) return { ok: true, value: this.summary };
    this.summary = null;
    const { source, settings } = data;
    const answer = await this.call((api) => api.loadData(source.blob, source.name, settings, onProgress));
    if (answer.ok) {
      this.given.data = data;
      this.summary = answer.value;
    }
    return answer;
  }

  /** Gives the worker the adapter that its runs start from, or takes it back; it needs a model before. */
  async startFrom(start: AdapterFiles | null): Promise<Reply<AdapterSummary | null>> {
    const given = this.given.start;
    if ((given?.files ?? null) === start) return { ok: true, value: given?.summary ?? null };
    const answer = await this.call((api) => api.startFrom(start));
    if (!answer.ok) return answer;
    if (start === null || answer.value === null) delete this.given.start;
    else this.given.start = { files: start, summary: answer.value };
    return answer;
  }

  /** Gives the worker all that it lacks, and the adapters that its runs start from. */
  async prepare(needs: Needs, settings: SessionSettings, onProgress?: OnProgress): Promise<Reply<null>> {
    const model = await this.loadModel(needs.files, onProgress);
    if (!model.ok) return model;
    const data = await this.loadData(needs.data, onProgress);
    if (!data.ok) return data;
    const start = await this.startFrom(needs.start);
    if (!start.ok) return start;
    return this.call((api) => api.configure(settings));
  }
}

function same(one: Needs['data'] | undefined, other: Needs['data']): boolean {
  return one?.source === other.source && JSON.stringify(one.settings) === JSON.stringify(other.settings);
}

function linkFailure(thrown: unknown): Failure {
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  return { place: 'engine', field: null, message: `The worker cannot be reached: ${words}` };
}
