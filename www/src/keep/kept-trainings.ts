import { failed, type Result, success, wordsOf } from '../result';
import { Signal } from '../signal';
import type { BrowserTabs } from '../store/browser-tabs';
import { type Kept, openVault, type Vault } from '../store/vault';
import { type KeptTraining, VERSION } from './kept-training';
import { Ownership } from './ownership';

/** More would fill the browser with what nobody goes on with. */
export const MOST_KEPT = 5;

/** A training that is kept. */
export interface Offer<Of extends KeptTraining = KeptTraining> extends Kept<Of> {
  /** Another tab has it. */
  busy: boolean;
}

/** The trainings in the folder of this name. */
export function openTrainings<Of extends KeptTraining>(folder: string, tabs: BrowserTabs): KeptTrainings<Of> {
  return new KeptTrainings<Of>(folder, openVault<Of>(folder), tabs);
}

/** All trainings of one kind that this browser keeps, for all tabs; each belongs to one tab at most. */
export class KeptTrainings<Of extends KeptTraining = KeptTraining> {
  /** What is kept, the latest first. */
  readonly offers = new Signal<readonly Offer<Of>[]>([]);
  /** Why what is kept is not seen; empty where it is. */
  readonly unread = new Signal<string>('');
  /** What the user frees, before it is gone: nothing of it is to be written any more. */
  readonly discarded = new Signal<readonly string[]>([]);
  private readonly ownership: Ownership;
  private looks = 0;
  private looking: Promise<void> = Promise.resolve();
  /** Ends when all that was written has its place. */
  private writing: Promise<unknown> = Promise.resolve();

  constructor(
    /** Its name in the browser's private file system. */
    readonly folder: string,
    /** Null in a browser that has no files of their own for pages. */
    readonly vault: Promise<Vault<Of> | null>,
    tabs: BrowserTabs,
  ) {
    this.ownership = new Ownership(tabs, folder, () => void this.look());
  }

  /** Looks for what earlier visits and other tabs have kept. */
  look(): Promise<void> {
    this.looks += 1;
    this.looking = this.lookOnce(this.looks);
    return this.looking;
  }

  /** Whether it is this tab's now; it is until `release`, or until the tab is gone. */
  take(id: string): Promise<boolean> {
    return this.ownership.take(id);
  }

  /** Any tab may have it now. */
  async release(id: string): Promise<void> {
    await this.ownership.release(id);
    await this.look();
  }

  /** The whole of what is kept, every byte checked, for this tab. */
  async claim(id: string): Promise<Result<Kept<Of>>> {
    if (!(await this.take(id))) {
      void this.look();
      return failed('resume', 'Another tab has this training. Go on there, or close that tab.');
    }
    const found = (await (await this.vault)?.open(id)) ?? null;
    if (found?.content.version === VERSION) return success(found);
    await this.release(id);
    return failed(
      'resume',
      'What was kept is damaged, and so is the copy before it. Discard it and train anew.',
    );
  }

  /** Keeps the newest state of a training of this tab; answers the older trainings that went for it. */
  async save(id: string, content: Of, parts: ReadonlyMap<string, Blob>): Promise<Kept<Of>[]> {
    const vault = await this.vault;
    if (vault === null) return [];
    const saving = vault.save(id, content, parts);
    this.writing = Promise.allSettled([this.writing, saving]);
    await saving;
    const isNew = this.offers.value.every((one) => one.id !== id);
    const gone = isNew ? await this.makeRoom(vault, id) : [];
    this.ownership.tell();
    await this.look();
    return gone;
  }

  /** Frees these; what another tab has stays, and that is a failure. */
  async discard(...ids: string[]): Promise<Result<null>> {
    const own = ids.filter((id) => this.ownership.has(id));
    const taken = await Promise.all(ids.map((id) => this.take(id)));
    const gone = ids.filter((_, index) => taken[index]);
    this.discarded.set(gone);
    await this.writing;
    await (await this.vault)?.remove(gone);
    for (const id of gone) if (!own.includes(id)) await this.ownership.release(id);
    this.ownership.tell();
    await this.look();
    if (gone.length === ids.length) return success(null);
    return failed(
      'resume',
      'Another tab has a training that is kept; it can be freed when that tab is closed.',
    );
  }

  /** Frees all of them. */
  async discardAll(): Promise<Result<null>> {
    await this.look();
    return this.discard(...this.offers.value.map(({ id }) => id));
  }

  private async lookOnce(mine: number): Promise<void> {
    try {
      const found = (await (await this.vault)?.list()) ?? [];
      const elsewhere = await this.ownership.elsewhere();
      // Another look may have begun after something was written.
      if (mine !== this.looks) return this.looking;
      const known = found.filter(({ content }) => content.version === VERSION);
      this.offers.set(known.map((one) => ({ ...one, busy: elsewhere.has(one.id) })));
      this.unread.set('');
    } catch (thrown) {
      this.unread.set(`What an earlier visit kept cannot be read: ${wordsOf(thrown)}.`);
    }
  }

  /** Where too many are kept, the oldest go that no tab has. */
  private async makeRoom(vault: Vault<Of>, own: string): Promise<Kept<Of>[]> {
    const found = await vault.list();
    const gone: Kept<Of>[] = [];
    for (const one of found.filter(({ id }) => id !== own).reverse()) {
      if (found.length - gone.length <= MOST_KEPT) break;
      if (this.ownership.has(one.id) || !(await this.take(one.id))) continue;
      await vault.remove([one.id]);
      await this.ownership.release(one.id);
      gone.push(one);
    }
    return gone;
  }
}
