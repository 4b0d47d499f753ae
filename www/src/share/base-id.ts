/** What stands where nothing is known. */
export const UNKNOWN_BASE = 'path/to/the/base';

/** What is known of a base. */
export interface NamedBase {
  /** As its files call it. */
  name: string;
  /** Its id on the hub, where the engine knows it by these names. */
  base_id: string | null;
}

/**
 * Where Python finds a base: an id of the hub where one is known, else its name. `knownAs` is what the page called it when
 * it was loaded: for a model of the hub its repository.
 */
export function baseId({ name, base_id }: NamedBase, knownAs = ''): string {
  if (base_id !== null) return base_id;
  const [repository = ''] = knownAs.split(' · ');
  if (/^[\w.-]+\/[\w.-]+$/.test(repository)) return repository;
  if (name !== '' && name !== 'unnamed model') return name;
  return knownAs === '' ? UNKNOWN_BASE : knownAs;
}
