import * as v from 'valibot';
import { ARCHITECTURES } from '../protocol';
import { failed, type Result, success } from '../result';
import { refusal, unreachable } from './answers';
import { fetchGgufHead } from './gguf-head';
import { HUB, type ModelAddress } from './model-address';
import type { RemoteFile } from './opfs-models';

/** One way to have a model: its folder, or one of its GGUF files. */
export interface ModelChoice {
  label: string;
  files: RemoteFile[];
  /** Null where a server does not tell. */
  bytes: number | null;
}

/** A model that can be downloaded, and what is known of it before. */
export interface RemoteModel {
  title: string;
  host: string;
  licence: string | null;
  /** Weights; null where it is not known. */
  parameters: number | null;
  /** The best one first; there is at least one. */
  choices: ModelChoice[];
}

/** Asks what there is at an address. Nothing is downloaded yet. */
export function lookUp(
  address: ModelAddress,
  signal: AbortSignal,
  fetcher: typeof fetch = fetch,
): Promise<Result<RemoteModel>> {
  return address.kind === 'file'
    ? lookUpFile(address.url, address.name, signal, fetcher)
    : lookUpRepository(address, signal, fetcher);
}

async function lookUpFile(
  url: string,
  name: string,
  signal: AbortSignal,
  fetcher: typeof fetch,
): Promise<Result<RemoteModel>> {
  const { host } = new URL(url);
  try {
    const response = await fetcher(url, { method: 'HEAD', signal });
    const message = refusal(response, name, host);
    if (message !== '') return failed('model', message);
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    const bytes = Number.isInteger(length) && length > 0 ? length : null;
    const head = await fetchGgufHead(url, signal, fetcher);
    if (head.kind === 'other')
      return failed('model', `${name} of ${host} is no GGUF file: its first letters are not GGUF.`);
    const unknown = head.kind === 'gguf' ? unknownArchitecture('gguf', head.architecture) : null;
    if (unknown !== null) return failed('model', `${name}: ${unknown}`);
    const choice = { label: name, files: [{ name, url, bytes, sha256: null }], bytes };
    return success({ title: name, host, licence: null, parameters: null, choices: [choice] });
  } catch (thrown) {
    return failed('model', unreachable(host, thrown));
  }
}

// What is missing or nonsense in an answer is not known.
const text = v.fallback(v.nullable(v.string()), null);
const amount = v.fallback(v.nullable(v.number()), null);

/** The part of the hub's answer that is used. */
const repositoryAnswer = v.object({
  sha: v.string(),
  cardData: v.fallback(v.object({ license: text }), { license: null }),
  safetensors: v.fallback(v.object({ total: amount }), { total: null }),
  /** What its config.json says. */
  config: v.fallback(v.object({ model_type: text }), { model_type: null }),
  /** What its first GGUF file says. */
  gguf: v.fallback(v.object({ architecture: text }), { architecture: null }),
  siblings: v.array(v.unknown()),
});

const repositoryFile = v.object({
  rfilename: v.string(),
  size: amount,
  lfs: v.fallback(v.object({ sha256: text }), { sha256: null }),
  blobId: text,
});

async function lookUpRepository(
  { repository, revision, file }: ModelAddress & { kind: 'repository' },
  signal: AbortSignal,
  fetcher: typeof fetch,
): Promise<Result<RemoteModel>> {
  const { host } = new URL(HUB);
  let answer: unknown;
  try {
    const path = `api/models/${repository}/revision/${encodeURIComponent(revision)}`;
    const response = await fetcher(`${HUB}/${path}?blobs=true`, { signal });
    const message = refusal(response, repository, host);
    if (message !== '') return failed('model', message);
    answer = await response.json();
  } catch (thrown) {
    return failed('model', unreachable(host, thrown));
  }
  const found = readRepository(answer);
  if (found === null)
    return failed('model', `${host} answered about ${repository} in a way that this page does not know.`);
  const remote = found.files.map(
    ({ path, bytes, sha256, git }): RemoteFile => ({
      name: path,
      // Of one commit: a download that goes on tomorrow is of the same files.
      url: `${HUB}/${repository}/resolve/${found.sha}/${path.split('/').map(encodeURIComponent).join('/')}`,
      bytes,
      sha256,
      git,
    }),
  );
  const there = file === null ? chooseFiles(remote) : ggufChoices(remote.filter(({ name }) => name === file));
  if (there.length === 0) return failed('model', whyNone(repository, file, remote));
  const refusals = there.map(({ files }) => {
    const format = files.some(({ name }) => /\.gguf$/i.test(name)) ? 'gguf' : 'folder';
    return unknownArchitecture(format, found.architectures[format]);
  });
  const choices = there.filter((_, index) => refusals[index] === null);
  if (choices.length === 0) return failed('model', `${repository}: ${refusals[0]}`);
  const { licence, parameters } = found;
  return success({ title: repository, host, licence, parameters, choices });
}

function readRepository(answer: unknown) {
  const read = v.safeParse(repositoryAnswer, answer);
  if (!read.success) return null;
  const { sha, cardData, safetensors, config, gguf, siblings } = read.output;
  const files = siblings.flatMap((sibling) => {
    const file = v.safeParse(repositoryFile, sibling);
    if (!file.success) return [];
    const { rfilename: path, size: bytes, lfs, blobId } = file.output;
    // Of a file in the large storage git knows the pointer.
    return [
      { path, bytes, sha256: lfs.sha256, git: lfs.sha256 === null ? (blobId ?? undefined) : undefined },
    ];
  });
  const architectures = { folder: config.model_type, gguf: gguf.architecture };
  return { sha, licence: cardData.license, parameters: safetensors.total, files, architectures };
}

/** Why a model of this architecture will not load, as its loader would say it after the download; null where it may. */
function unknownArchitecture(format: 'folder' | 'gguf', found: string | null): string | null {
  const known = ARCHITECTURES[format];
  if (found === null || known.includes(found)) return null;
  const names = `${known.slice(0, -1).join(', ')} or ${known.at(-1)}`;
  return `its architecture is ${found}, which is not supported; use a model of the ${names} architecture`;
}

const config = 'config.json';
const tokenizer = 'tokenizer.json';
// What the loader looks at besides.
const optional = ['tokenizer_config.json', 'chat_template.jinja', 'generation_config.json'];
const part = /^model-\d{5}-of-\d{5}\.safetensors$/;
const partOfGguf = /^(.*)-\d{5}-of-(\d{5})\.gguf$/i;
// Packed in ways that the loader does not unpack.
const unknownPacking = /(^|[-._])(IQ[1-3]|TQ\d|NVFP4)/i;

/** Which files of a repository make a model that can be loaded, the best choice first. */
export function chooseFiles(files: readonly RemoteFile[]): ModelChoice[] {
  const find = (name: string) => files.find((file) => file.name === name);
  const needed = [find(config), find(tokenizer)];
  const whole = find('model.safetensors');
  const index = find('model.safetensors.index.json');
  const parts = index === undefined ? [] : [index, ...files.filter(({ name }) => part.test(name))];
  const weights = whole === undefined ? parts : [whole];
  const folder = [...needed, ...weights, ...optional.map(find)].filter((file) => file !== undefined);
  const complete = needed.every((file) => file !== undefined) && weights.length > 0;
  const label = whole === undefined ? `safetensors in ${parts.length - 1} parts` : 'model.safetensors';
  const choices = complete ? [{ label, files: folder, bytes: sum(folder) }] : [];
  return [...choices, ...ggufChoices(files.filter(({ name }) => !name.includes('/')))];
}

/** Large files keep more of the model; one that is packed in 8 bits loses next to nothing. Parts are one model, if all are there. */
function ggufChoices(files: readonly RemoteFile[]): ModelChoice[] {
  const usable = files.filter(({ name }) => /\.gguf$/i.test(name) && !unknownPacking.test(name));
  const models = new Map<string, RemoteFile[]>();
  for (const file of usable) {
    const model = file.name.replace(partOfGguf, '$1 in $2 parts');
    models.set(model, [...(models.get(model) ?? []), file]);
  }
  const preferred = ({ label }: ModelChoice) => (/Q8_0/i.test(label) ? 0 : 1);
  return [...models.values()]
    .filter((parts) => parts.length === Number(partOfGguf.exec(parts[0]?.name ?? '')?.[2] ?? 1))
    .map((parts): ModelChoice => {
      const named = parts.map((file) => ({ ...file, name: file.name.split('/').at(-1) ?? file.name }));
      const first = named[0]?.name ?? '';
      const label = first.replace(partOfGguf, `$1.gguf in ${parts.length} parts`);
      return { label, files: named, bytes: sum(parts) };
    })
    .sort((one, other) => preferred(one) - preferred(other) || (one.bytes ?? 0) - (other.bytes ?? 0));
}

function whyNone(repository: string, file: string | null, files: readonly RemoteFile[]): string {
  if (file !== null)
    return `${repository} has no ${file} that this page can read. Look at its list of files.`;
  const advice =
    'Look for a repository with config.json, tokenizer.json and model.safetensors, or with a .gguf file.';
  const old = files.find(({ name }) => /\.(bin|pth|pt|h5|msgpack)$/.test(name));
  if (files.some(({ name }) => name === 'adapter_config.json'))
    return `${repository} is an adapter, not a model. ${advice}`;
  if (old !== undefined)
    return `${repository} has its weights only as ${old.name}, which this page does not read. ${advice}`;
  return `${repository} has no model that this page can read. ${advice}`;
}

function sum(files: readonly RemoteFile[]): number | null {
  return files.reduce<number | null>(
    (total, { bytes }) => (total === null || bytes === null ? null : total + bytes),
    0,
  );
}
