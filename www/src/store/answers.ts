import { wordsOf } from '../result';

/** Why a server's answer is not what was asked for, and what to do; empty where it may be. */
export function refusal(response: Response, what: string, host: string): string {
  const { status } = response;
  if (status === 401 || status === 403) {
    return (
      `${host} answered ${status}: ${what} does not exist, or only those who have logged in may have it. ` +
      'Check the name; or download it there yourself and drop the files here.'
    );
  }
  if (status === 404 || status === 410) {
    return `${host} has no ${what} (${status}). Check the address; it may have been moved or renamed.`;
  }
  if (status === 429) {
    return `${host} says that it was asked too often (429). Wait some minutes and try again.`;
  }
  if (status >= 500) return `${host} cannot answer now (${status}). Try again later.`;
  if (!response.ok) return `${host} answered ${status} when asked for ${what}. Check the address.`;
  if (/text\/html/i.test(response.headers.get('content-type') ?? '')) {
    return (
      `${host} answered with a web page in place of ${what}. ` +
      'Give the address of the file itself, often behind “raw” or “download”.'
    );
  }
  return '';
}

/** Why a server could not be reached; the browser tells pages no more than this. */
export function unreachable(host: string, thrown: unknown): string {
  if (globalThis.navigator?.onLine === false) {
    return 'This machine is offline. Connect it, or drop files that are here already.';
  }
  return (
    `${host} cannot be read from this page (${wordsOf(thrown)}): there is no way to it from here, ` +
    'or it does not let other pages read it (CORS). Download the file yourself and drop it here.'
  );
}
