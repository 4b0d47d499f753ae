import type { App } from '../language/app';
import type { RunBook } from '../runs/book';
import { askBeforeLeaving } from '../runs/leaving';
import { browserShelf } from '../runs/shelf';
import { Signal } from '../signal';
import type { BrowserTabs } from '../store/browser-tabs';
import { SweepBook } from './book';
import { keepSweep, recallSweep } from './config-store';
import { isSweepRecord } from './record';
import { Sweep } from './sweep';

/** Sweeps with the settings and results of earlier visits. */
export function openSweep(app: App, runs: RunBook, tabs: BrowserTabs): Sweep {
  const book = new SweepBook(browserShelf('sweeps', isSweepRecord, tabs));
  askBeforeLeaving(book.underWay);
  const sweep = new Sweep(app, new Signal(recallSweep()), book, runs, tabs);
  sweep.config.subscribe(keepSweep);
  void book.open();
  return sweep;
}
