import { failed, type Result, success } from '../result';

// What the hub allows in the names of owners and data sets.
const id = /^[\w.-]+(\/[\w.-]+)?$/;

/** Reads `owner/name`, `name` of an old data set, or the address of its page. */
export function parseDatasetId(text: string): Result<string> {
  const trimmed = text
    .trim()
    .replace(/^(https:\/\/)?(www\.)?(huggingface\.co|hf\.co)\//, '')
    .replace(/[?#].*$/, '');
  const [first, ...rest] = trimmed.split('/').filter(Boolean);
  const name = first === 'datasets' ? rest.slice(0, rest[1] === undefined ? 1 : 2).join('/') : trimmed;
  if (id.test(name)) return success(name);
  return failed(
    'data',
    `“${text.trim()}” is no data set of Hugging Face. Write its id, such as openai/gsm8k, or the address of its page.`,
  );
}
