import type { Progress } from '../protocol';
import { failed, type Result, success } from '../result';
import { fetchFromSite, siteRecord } from '../store/download';
import type { PictureSet } from './pictures/picture';
import { readPictureFile } from './pictures/picture-file';

/** The text-to-image model that this project pretrained, with pictures to teach it. */
export interface IconModel {
  files: File[];
  sets: { subject: PictureSet; style: PictureSet };
}

/** Its files, which scripts/build puts beside the page; a test compares them with models/icons. */
export const ICON_FILES = {
  'config.json': { bytes: 209, sha256: '3fde528476c6972256885646c82342616eebe1f4bcc57a8599a2172b7ffba063' },
  'model.safetensors': {
    bytes: 3_920_320,
    sha256: '2a9a93adedf4a03de7f07f9934f80cac95f5f9a72cfb701b406df7a1b408e21c',
  },
  'words.txt': { bytes: 9192, sha256: '332309b7bb159ea0f2e936b565a6049841934c343677bd0e9dba2efd199d46ce' },
  'subject.safetensors': {
    bytes: 17_720,
    sha256: 'b204d266de0a75f76d6904bce1544ef1196bd7ff109e727235972465c5e69704',
  },
  'style.safetensors': {
    bytes: 140_336,
    sha256: '2eb12059b3e7ca3311974c162b2c17ebe6a7a76853b677ae526ea858e49ace88',
  },
} as const;

/** What the page says of it before it is loaded. */
export const ICON_MODEL = {
  name: 'Icons',
  about: 'draws icons of 24×24 pixels from their names; 2 M weights, pretrained by this project',
  bytes: Object.values(ICON_FILES).reduce((sum, { bytes }) => sum + bytes, 0),
} as const;

type Name = keyof typeof ICON_FILES;

const MODEL: readonly Name[] = ['config.json', 'model.safetensors', 'words.txt'];

/** The model: kept from before, or downloaded, checked and kept for use without a network. */
export async function fetchIconModel(
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<Result<IconModel>> {
  const names = Object.keys(ICON_FILES) as Name[];
  const listed = names.map((name) => ({ path: `icons/${name}`, ...ICON_FILES[name] }));
  const fetched = await fetchFromSite(siteRecord(ICON_MODEL.name, 'MIT', listed), onProgress, signal);
  if (!fetched.ok) return fetched;
  const found = new Map(names.map((name, index) => [name, fetched.value.files[index]]));
  const setOf = async (name: Name, title: string): Promise<Result<PictureSet>> => {
    const file = found.get(name);
    if (file === undefined) return failed('model', `${name} is missing.`);
    return readPictureFile(title, new Uint8Array(await file.arrayBuffer()));
  };
  const subject = await setOf('subject.safetensors', 'a subject: zib, a cat');
  if (!subject.ok) return subject;
  const style = await setOf('style.safetensors', 'a style: sketched');
  if (!style.ok) return style;
  const files = MODEL.flatMap((name) => found.get(name) ?? []);
  return success({ files, sets: { subject: subject.value, style: style.value } });
}
