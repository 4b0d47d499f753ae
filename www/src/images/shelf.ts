import type { Problems } from '../config/problems';
import { whole } from '../config/range';
import type { Failure, Progress } from '../protocol';
import { Signal } from '../signal';
import type { Picture, PictureSet } from './pictures/picture';
import { readPictures } from './pictures/read-picture';

/** A file that is no picture to learn from, and why. */
export interface Refused {
  name: string;
  failure: Failure;
}

/** What the user's own pictures are called together. */
export const OWN_SET = 'Your pictures';

// Fewer are all needed to learn from.
const LEAST_TO_VALIDATE = 5;

/** The pictures that are to be learned from, while the user chooses them. */
export class PictureShelf {
  readonly set = new Signal<PictureSet | null>(null);
  readonly refused = new Signal<readonly Refused[]>([]);
  readonly reading = new Signal<Progress | null>(null);
  /** What is wrong with what was asked of the set, which stays as it is. */
  readonly problems = new Signal<Problems>(new Map());
  /** What was done to a picture when it was read, by its pixels. */
  private readonly notes = new WeakMap<Uint8Array, readonly string[]>();

  /** Takes a set as it is; `notes` are those of its pictures, where there are some. */
  use(set: PictureSet, notes: readonly (readonly string[])[] = []): void {
    this.refused.set([]);
    this.problems.set(new Map());
    for (const [index, { pixels }] of set.pictures.entries()) this.notes.set(pixels, notes[index] ?? []);
    this.set.set({ ...set, pictures: [...set.pictures] });
  }

  /** Adds files to the user's own pictures, or begins them; files that are none are told of, and the others go on. */
  async add(files: readonly File[]): Promise<void> {
    const show = (done: number, total: number) =>
      this.reading.set({ action: 'Reading pictures', done, total });
    show(0, files.length);
    const answers = await readPictures(files, show);
    this.reading.set(null);
    const refused: Refused[] = [];
    const added: Picture[] = [];
    for (const { file, result } of answers) {
      if (!result.ok) refused.push({ name: file.name, failure: result.failure });
      else {
        added.push(result.value.picture);
        this.notes.set(result.value.picture.pixels, result.value.notes);
      }
    }
    this.refused.set(refused);
    if (added.length === 0) return;
    const own = this.isOwn ? (this.set.value?.pictures ?? []) : [];
    const pictures = [...own, ...added];
    const before = this.isOwn ? (this.set.value?.validation ?? 0) : 0;
    const validation = before > 0 || pictures.length < LEAST_TO_VALIDATE ? before : 1;
    this.set.set({ name: OWN_SET, pictures, validation });
  }

  caption(index: number, caption: string): void {
    this.edit((pictures) => pictures.map((one, at) => (at === index ? { ...one, caption } : one)));
  }

  /** Takes a picture out; the returned function puts it back, among whatever is there then. */
  remove(index: number): () => void {
    const before = this.set.value;
    const gone = before?.pictures[index];
    if (before === null || gone === undefined) return () => {};
    this.edit((pictures) => pictures.filter((_, at) => at !== index));
    return () => {
      if (this.set.value === null) return this.set.set({ ...before, pictures: [gone] });
      this.edit((pictures) => [...pictures.slice(0, index), gone, ...pictures.slice(index)]);
    };
  }

  /** So many of the last ones are validated with; at least one picture stays to learn from. */
  validate(validation: number): void {
    const set = this.set.value;
    if (set === null) return;
    const { holds, words } = whole(0, Math.max(0, set.pictures.length - 1));
    const allowed = holds(validation);
    this.problems.set(new Map(allowed ? [] : [['validation', `Kept for validation must be ${words}.`]]));
    if (allowed) this.set.set({ ...set, validation });
  }

  notesOf({ pixels }: Picture): readonly string[] {
    return this.notes.get(pixels) ?? [];
  }

  private get isOwn(): boolean {
    return this.set.value?.name === OWN_SET;
  }

  private edit(change: (pictures: readonly Picture[]) => Picture[]): void {
    const set = this.set.value;
    if (set === null) return;
    this.problems.set(new Map());
    const pictures = change(set.pictures);
    const validation = Math.min(set.validation, Math.max(0, pictures.length - 1));
    this.set.set(pictures.length === 0 ? null : { ...set, pictures, validation });
  }
}
