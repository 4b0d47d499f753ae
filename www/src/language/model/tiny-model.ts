import { failed, type Result, success, wordsOf } from '../../result';

/** The model that this project pretrained and the page brings along; its card is tiny/README.md. */
export const TINY = {
  name: 'Tiny Llama',
  about: '1 M weights, pretrained on WordNet by this project',
  bytes: 2_160_000,
} as const;

const FILES = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];

const made = new WeakSet<File>();

/** Whether these are its files, as `tinyModel` gave them. */
export function isTinyModel(files: readonly File[]): boolean {
  return files.length > 0 && files.every((file) => made.has(file));
}

/** Its files. They are part of the page, so the browser's own cache keeps them. */
export async function tinyModel(): Promise<Result<File[]>> {
  try {
    const files = await Promise.all(FILES.map(fileOf));
    for (const file of files) made.add(file);
    return success(files);
  } catch (thrown) {
    return failed('model', `The tiny model cannot be read: ${wordsOf(thrown)}. Choose another model.`);
  }
}

async function fileOf(name: string): Promise<File> {
  const response = await fetch(`tiny/${name}`);
  if (!response.ok) throw new Error(`the server answered ${response.status} for ${name}`);
  return new File([await response.blob()], name);
}
