import type { App } from '../language/app';
import type { BrowserTabs } from '../store/browser-tabs';
import { RunBook } from './book';
import { isRunRecord } from './check';
import { askBeforeLeaving } from './leaving';
import { recordTrainings } from './recorder';
import { browserShelf } from './shelf';

/** The book of this browser's runs, into which every training goes. */
export function openRuns(app: App, tabs: BrowserTabs): RunBook {
  const book = new RunBook(browserShelf('runs', isRunRecord, tabs));
  recordTrainings(app, book);
  askBeforeLeaving(book.underWay);
  void book.open();
  return book;
}
