import * as v from 'valibot';
import { digestOf } from './digest';
import { type Folder, openFolder } from './folder';

/** A file of a generation; its name in the folder is its digest. */
const part = v.object({ digest: v.string(), bytes: v.number() });
type Part = v.InferOutput<typeof part>;

/** What a generation consists of; written last, so that it never promises what is not there. */
const manifest = v.object({
  generation: v.number(),
  content: v.unknown(),
  parts: v.record(v.string(), part),
});
type Manifest<Content> = v.InferOutput<typeof manifest> & { content: Content };

/** Something that is kept, as its newest whole generation has it. */
export interface Kept<Content> {
  id: string;
  content: Content;
  parts: ReadonlyMap<string, Blob>;
  /** Whether a later generation was begun and is not whole. */
  fallback: boolean;
}

const GENERATIONS = 2;
// The first version of the page kept one thing, without an id.
const MANIFEST = /^manifest-(?:([a-z0-9-]+)-)?\d\.json$/;

/** The vault in the folder of this name; null in browsers that have no files of their own for pages. */
export async function openVault<Content>(name: string): Promise<Vault<Content> | null> {
  const folder = await openFolder(name);
  return folder === null ? null : new Vault<Content>(folder);
}

/**
 * Keeps things that change, each in two generations: while one is written, the one before stays as it is. Parts are
 * named by their digest, so what did not change, or what two things share, is written once, and what was written in
 * half is not believed.
 */
export class Vault<Content> {
  constructor(private readonly folder: Folder) {}

  /** Keeps this as the newest generation of `id`. Throws what the browser throws; what was kept before stays. */
  save(id: string, content: Content, parts: ReadonlyMap<string, Blob>): Promise<void> {
    return this.folder.alone(async () => {
      const before = await this.manifests();
      const own = before.get(id) ?? [];
      const generation = 1 + Math.max(0, ...own.map((one) => one.generation));
      const listed: Record<string, Part> = {};
      try {
        for (const [name, blob] of parts) listed[name] = await this.put(blob);
        await this.write(id, { generation, content, parts: listed });
      } catch (thrown) {
        await this.clean(before);
        throw thrown;
      }
      const latest = own.filter((one) => one.generation === generation - 1);
      await this.clean(new Map([...before, [id, [...latest, { generation, content, parts: listed }]]]));
    });
  }

  /** Everything that seems whole, without reading its parts; the latest id first. */
  list(): Promise<Kept<Content>[]> {
    return this.folder.alone(async () => {
      const ids = [...(await this.manifests()).keys()].sort().reverse();
      const found = await Promise.all(ids.map((id) => this.newest(id, false)));
      return found.filter((one) => one !== null);
    });
  }

  /** The newest generation of `id` that is whole: every part was read. */
  open(id: string): Promise<Kept<Content> | null> {
    return this.folder.alone(() => this.newest(id, true));
  }

  hasRoom(bytes: number): Promise<boolean> {
    return this.folder.hasRoom(bytes);
  }

  /** Removes what is kept under these ids, and all that belongs to nothing. */
  async remove(ids: readonly string[]): Promise<void> {
    await this.folder.alone(async () => {
      // A manifest without its parts is harmless, and parts without a manifest are too.
      for (const name of await this.folder.names()) {
        const id = idOf(name);
        if (id !== null && ids.includes(id)) await this.folder.remove(name);
      }
      await this.clean(await this.manifests());
    });
  }

  private async newest(id: string, checked: boolean): Promise<Kept<Content> | null> {
    const manifests = (await this.manifests()).get(id) ?? [];
    // A manifest that cannot be read is a later generation, for this one's is written last of all.
    const written = (await this.folder.names()).filter((name) => idOf(name) === id).length;
    let fallback = written > manifests.length;
    for (const { content, parts } of manifests) {
      const found = await this.collect(parts, checked);
      if (found !== null) return { id, content, parts: found, fallback };
      fallback = true;
    }
    return null;
  }

  private async collect(parts: Record<string, Part>, checked: boolean): Promise<Map<string, Blob> | null> {
    const found = new Map<string, Blob>();
    for (const [name, { digest, bytes }] of Object.entries(parts)) {
      const blob = await this.folder.read(digest);
      if (blob?.size !== bytes) return null;
      if (checked && (await digestOf(blob)) !== digest) {
        // Else the next generation would take it for the part that it should be.
        await this.folder.remove(digest);
        return null;
      }
      found.set(name, blob);
    }
    return found;
  }

  private async put(blob: Blob): Promise<Part> {
    const digest = await digestOf(blob);
    const there = await this.folder.read(digest);
    if (there?.size !== blob.size) await this.folder.write(digest, blob);
    return { digest, bytes: blob.size };
  }

  private async write(id: string, manifest: Manifest<Content>): Promise<void> {
    const body = JSON.stringify(manifest);
    const digest = await digestOf(new Blob([body]));
    await this.folder.write(nameOf(id, manifest.generation), new Blob([`${digest}\n${body}`]));
  }

  /** Those that can be read, by id, newest first. */
  private async manifests(): Promise<Map<string, Manifest<Content>[]>> {
    const found = new Map<string, Manifest<Content>[]>();
    for (const name of await this.folder.names()) {
      const id = idOf(name);
      if (id === null) continue;
      const text = (await (await this.folder.read(name))?.text()) ?? '';
      const [digest, body = ''] = [text.slice(0, 64), text.slice(65)];
      if (digest !== (await digestOf(new Blob([body])))) continue;
      const read = v.safeParse(manifest, JSON.parse(body));
      // Another version of the page wrote it; whoever opens it checks the content by its own version.
      if (!read.success) continue;
      found.set(id, [...(found.get(id) ?? []), read.output as Manifest<Content>]);
    }
    for (const own of found.values()) own.sort((one, other) => other.generation - one.generation);
    return found;
  }

  /** Removes parts that none of these has. */
  private async clean(kept: ReadonlyMap<string, readonly Manifest<Content>[]>): Promise<void> {
    const parts = [...kept.values()].flat().flatMap((manifest) => Object.values(manifest.parts));
    const wanted = new Set(parts.map(({ digest }) => digest));
    for (const name of await this.folder.names()) {
      if (idOf(name) === null && !wanted.has(name)) await this.folder.remove(name);
    }
  }
}

function nameOf(id: string, generation: number): string {
  return ['manifest', ...(id === '' ? [] : [id]), `${generation % GENERATIONS}.json`].join('-');
}

/** Whose manifest this is; null where it is a part. */
function idOf(name: string): string | null {
  const found = MANIFEST.exec(name);
  return found === null ? null : (found[1] ?? '');
}
