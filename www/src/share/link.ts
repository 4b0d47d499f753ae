import type { Config } from '../config/config';
import { type Parsed, readConfig, VERSION, writeConfig } from '../config/serialise';
import { failed, type Result, success } from '../result';

// Behind a route of `controls/tabs.ts`, which looks at its beginning only.
const ROUTE = '#language/settings=';
const PATTERN = /[/?&]settings=([^&]*)/;
// No table of runs is longer; what a small text unpacks to could be.
const MOST_BYTES = 1 << 18;
const FORMAT = 'deflate-raw';

/**
 * A link to `page` that carries all settings, the prompt for samples among them, and nothing of models, data or
 * results. It holds the settings whole and not what differs from the defaults, so that it still means the same when
 * those change; runs resemble each other, so deflate leaves little of each.
 */
export async function linkTo(page: string, config: Config): Promise<string> {
  const packed = new Blob([writeConfig(config)]).stream().pipeThrough(new CompressionStream(FORMAT));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  return page.replace(/#.*$/, '') + ROUTE + toText(bytes);
}

/** The settings in the fragment of an address; null where it carries none. */
export async function readLink(fragment: string): Promise<Result<Parsed> | null> {
  const text = PATTERN.exec(fragment)?.[1];
  if (text === undefined) return null;
  const json = await unpack(text);
  if (json === null) {
    return failed(
      'link',
      'The settings in this link cannot be read, so none was taken: it may have been cut.',
    );
  }
  if (versionOf(json) !== VERSION) {
    return failed(
      'link',
      'The settings in this link are of another version of this page, so none was taken.',
    );
  }
  return success(readConfig(json));
}

/** The fragment without the settings, for an address that shall not bring them back at the next reload. */
export function withoutSettings(fragment: string): string {
  return fragment.replace(PATTERN, '');
}

async function unpack(text: string): Promise<string | null> {
  try {
    const stream = new Blob([toBytes(text)]).stream().pipeThrough(new DecompressionStream(FORMAT));
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const reader = stream.getReader();
    let json = '';
    for (let size = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) return json + decoder.decode();
      size += value.byteLength;
      if (size > MOST_BYTES) {
        await reader.cancel();
        return null;
      }
      json += decoder.decode(value, { stream: true });
    }
  } catch {
    return null;
  }
}

function versionOf(json: string): unknown {
  try {
    return (JSON.parse(json) as { version?: unknown } | null)?.version;
  } catch {
    return undefined;
  }
}

/** Base64 with the letters that an address may have. */
function toText(bytes: Uint8Array): string {
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const letters = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}
