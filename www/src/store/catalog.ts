import * as v from 'valibot';
import { failed, type Result, success } from '../result';

const KEY = 'riemann-lora.catalog';

const catalogModel = v.object({
  name: v.string(),
  file: v.string(),
  bytes: v.number(),
  sha256: v.string(),
  licence: v.string(),
  source: v.string(),
});

/** A model that this site serves. */
export type CatalogModel = v.InferOutput<typeof catalogModel>;

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
    const models = modelsIn(found);
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
    return modelsIn(JSON.parse(localStorage.getItem(KEY) ?? '[]'));
  } catch {
    return [];
  }
}

function modelsIn(found: unknown): CatalogModel[] {
  return Array.isArray(found) ? found.filter((thing) => v.is(catalogModel, thing)) : [];
}
