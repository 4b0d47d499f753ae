import * as Comlink from 'comlink';
import { hashPieces } from './hash';

/** What the worker can be asked for. */
export type HashApi = typeof hashPieces;

Comlink.expose(hashPieces);
