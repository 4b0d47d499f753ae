import type { DataSource } from '../../lab/language';
import { failed, type Result, success, wordsOf } from '../../result';

const FILE = 'wordnet-definitions.txt';

/** The example data that comes with the page. */
export async function bundledData(): Promise<Result<DataSource>> {
  try {
    const response = await fetch(`data/${FILE}`);
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    return success({ blob: await response.blob(), name: FILE });
  } catch (thrown) {
    return failed('data', `The bundled example cannot be read: ${wordsOf(thrown)}. Drop a file of your own.`);
  }
}
