import { digestOf } from './digest';
import { type Folder, openFolder } from './folder';

/** A file of a generation; its name in the folder is its digest. */
interface Part {
  digest: string;
  bytes: number;
}

/** What a generation consists of; written last, so that it never promises what is not there. */
interface Manifest<Content> {
  generation: number;
  content: Content;
  parts: Record<string, Part>;
}

/** A generation that is there. */
export interface Generation<Content> {
  content: Content;
  parts: ReadonlyMap<string, Blob>;
  /** Whether a later one was begun and is not whole. */
  fallback: boolean;
}

const GENERATIONS = 2;
const MANIFEST = /^manifest-\d\.json$/;

/** The vault in the folder of this name; null in browsers that have no files of their own for pages. */
export async function openVault<Content>(name: string): Promise<Vault<Content> | null> {
  const folder = await openFolder(name);
  return folder === null ? null : new Vault<Content>(folder);
}

/**
 * Keeps something that changes, in two generations: while one is written, the one before stays as it is. Parts are
 * named by their digest, so what did not change is not written again, and what was written in half is not believed.
 */
export class Vault<Content> {
  constructor(private readonly folder: Folder) {}

  /** Keeps this as the newest generation. Throws what the browser throws; what was kept before stays. */
  save(content: Content, parts: ReadonlyMap<string, Blob>): Promise<void> {
    return this.folder.alone(async () => {
      const before = await this.manifests();
      const generation = 1 + Math.max(0, ...before.map((one) => one.generation));
      const listed: Record<string, Part> = {};
      try {
        for (const [name, blob] of parts) listed[name] = await this.put(blob);
        await this.write({ generation, content, parts: listed });
      } catch (thrown) {
        await this.clean(before);
        throw thrown;
      }
      await this.clean([...before.filter((one) => one.generation === generation - 1), { parts: listed }]);
    });
  }

  /** The newest generation that seems whole, without reading its parts. */
  async peek(): Promise<Generation<Content> | null> {
    return this.newest(false);
  }

  /** The newest generation that is whole: every part was read. */
  async open(): Promise<Generation<Content> | null> {
    return this.newest(true);
  }

  hasRoom(bytes: number): Promise<boolean> {
    return this.folder.hasRoom(bytes);
  }

  async clear(): Promise<void> {
    await this.folder.alone(async () => {
      // A manifest without its parts is harmless, and parts without a manifest are too.
      for (const name of await this.folder.names()) await this.folder.remove(name);
    });
  }

  private newest(checked: boolean): Promise<Generation<Content> | null> {
    return this.folder.alone(async () => {
      const manifests = await this.manifests();
      // A manifest that cannot be read is a later generation, for this one's is written last of all.
      const written = (await this.folder.names()).filter((name) => MANIFEST.test(name)).length;
      let fallback = written > manifests.length;
      for (const { content, parts } of manifests) {
        const found = await this.collect(parts, checked);
        if (found !== null) return { content, parts: found, fallback };
        fallback = true;
      }
      return null;
    });
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

  private async write(manifest: Manifest<Content>): Promise<void> {
    const body = JSON.stringify(manifest);
    const digest = await digestOf(new Blob([body]));
    const name = `manifest-${manifest.generation % GENERATIONS}.json`;
    await this.folder.write(name, new Blob([`${digest}\n${body}`]));
  }

  /** Those that can be read, newest first. */
  private async manifests(): Promise<Manifest<Content>[]> {
    const found: Manifest<Content>[] = [];
    for (const name of await this.folder.names()) {
      if (!MANIFEST.test(name)) continue;
      const text = (await (await this.folder.read(name))?.text()) ?? '';
      const [digest, body = ''] = [text.slice(0, 64), text.slice(65)];
      if (digest === (await digestOf(new Blob([body])))) found.push(JSON.parse(body) as Manifest<Content>);
    }
    return found.sort((one, other) => other.generation - one.generation);
  }

  /** Removes parts that none of these has. */
  private async clean(kept: readonly Pick<Manifest<Content>, 'parts'>[]): Promise<void> {
    const wanted = new Set(kept.flatMap(({ parts }) => Object.values(parts).map(({ digest }) => digest)));
    for (const name of await this.folder.names()) {
      if (!MANIFEST.test(name) && !wanted.has(name)) await this.folder.remove(name);
    }
  }
}
