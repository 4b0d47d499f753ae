import { failed, type Result, success } from '../result';

const KEY = 'riemann-lora.catalog';

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
  let response: Response;
  try {
    response = await fetch('models/index.json');
  } catch {
    // Without a network, what is kept can be loaded still, so its names must be known.
    return success(recall());
  }
  try {
    if (response.status === 404) return success([]);
    if (!response.ok) return failed('model', `models/index.json answered ${response.status}.`);
    const found: unknown = await response.json();
    const models = Array.isArray(found) ? found.filter(isModel) : [];
    remember(models);
    return success(models);
  } catch {
    // Some static hosts answer with a page of their own where a file is missing.
    return success([]);
  }
}

function remember(models: readonly CatalogModel[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(models));
  } catch {
    // Without storage no model is kept either.
  }
}

function recall(): CatalogModel[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(found) ? found.filter(isModel) : [];
  } catch {
    return [];
  }
}

function isModel(thing: unknown): thing is CatalogModel {
  if (typeof thing !== 'object' || thing === null) return false;
  const model = thing as Record<string, unknown>;
  const texts = ['name', 'file', 'sha256', 'licence', 'source'];
  return texts.every((key) => typeof model[key] === 'string') && typeof model.bytes === 'number';
}
