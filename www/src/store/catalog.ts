import { failed, type Result, success } from '../result';

/** A model that this site serves. */
export interface CatalogModel {
  name: string;
  file: string;
  bytes: number;
  sha256: string;
  licence: string;
  source: string;
}

/** The models of this site; empty where it serves none. */
export async function readCatalog(): Promise<Result<CatalogModel[]>> {
  try {
    const response = await fetch('models/index.json');
    if (response.status === 404) return success([]);
    if (!response.ok) return failed('model', `models/index.json answered ${response.status}.`);
    const found: unknown = await response.json();
    return success(Array.isArray(found) ? found.filter(isModel) : []);
  } catch {
    // Some static hosts answer with a page of their own where a file is missing.
    return success([]);
  }
}

function isModel(thing: unknown): thing is CatalogModel {
  if (typeof thing !== 'object' || thing === null) return false;
  const model = thing as Record<string, unknown>;
  const texts = ['name', 'file', 'sha256', 'licence', 'source'];
  return texts.every((key) => typeof model[key] === 'string') && typeof model.bytes === 'number';
}
