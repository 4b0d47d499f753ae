import { failed, type Result, success } from '../result';

/** Where a model is, as the user wrote it. */
export type ModelAddress =
  | { kind: 'repository'; repository: string; revision: string; file: string | null }
  | { kind: 'file'; url: string; name: string };

/** Where repositories are. */
export const HUB = 'https://huggingface.co';

const EXAMPLE = 'such as HuggingFaceTB/SmolLM2-135M, or the https address of a .gguf file';
const hubHosts = ['huggingface.co', 'www.huggingface.co', 'hf.co'];
// What the hub allows in the names of owners and repositories.
const repositoryName = /^[\w.-]+\/[\w.-]+$/;

/** Reads `owner/name`, an address of the hub, or the address of a GGUF file anywhere. */
export function parseModelAddress(text: string): Result<ModelAddress> {
  const wrong = (problem: string) => failed('model', `${problem} Write a repository ${EXAMPLE}.`);
  const trimmed = text.trim();
  if (trimmed === '') return wrong('There is no address.');
  const [name = '', revision = 'main'] = trimmed.split('@');
  if (repositoryName.test(name) && !hubHosts.includes(name.split('/')[0] ?? '')) {
    return success({ kind: 'repository', repository: name, revision, file: null });
  }
  const withScheme = hubHosts.some((host) => trimmed.startsWith(`${host}/`)) ? `https://${trimmed}` : trimmed;
  let url: URL;
  try {
    url = new URL(withScheme);
  } catch {
    return wrong(`“${trimmed}” is neither a repository nor an address.`);
  }
  if (url.protocol !== 'https:') return wrong('An address has to begin with https://.');
  if (hubHosts.includes(url.hostname)) {
    return parseHubPath(url) ?? wrong(`${url.pathname} is no model on huggingface.co.`);
  }
  const file = lastName(url);
  if (!/\.gguf$/i.test(file)) {
    return wrong(
      `${url.hostname}${url.pathname} is no .gguf file, and folders can be read on huggingface.co only.`,
    );
  }
  return success({ kind: 'file', url: url.href, name: file });
}

/** The last part of an address's path, as a file would be called. */
export function lastName(url: URL): string {
  const last = url.pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

/** `/owner/name`, `/owner/name/tree/revision`, `/owner/name/resolve/revision/file`. */
function parseHubPath(url: URL): Result<ModelAddress> | null {
  const [owner = '', name = '', what, revision = 'main', ...path] = url.pathname.split('/').filter(Boolean);
  if (['datasets', 'spaces', 'api'].includes(owner) || !repositoryName.test(`${owner}/${name}`)) return null;
  if (what !== undefined && !['tree', 'resolve', 'blob', 'raw'].includes(what)) return null;
  const file = path.join('/');
  return success({
    kind: 'repository',
    repository: `${owner}/${name}`,
    revision: decodeURIComponent(revision),
    file: /\.gguf$/i.test(file) ? decodeURIComponent(file) : null,
  });
}
