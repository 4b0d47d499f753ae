import type { Experiment } from '../experiment';
import { comparisonSwitch } from './comparison-switch';
import { areRatesCompared, methodsOf } from './methods';
import { rateShown, ratesOf } from './shown-runs';

/** Which runs of a training have curves; only there where a method is trained at several learning rates. */
export function ratesSwitch(app: Experiment): HTMLElement {
  const { element, show } = comparisonSwitch(app, app.id('comparison'), 'Same rate', () => {
    const { trainedRuns, metrics, config } = app;
    const runs = trainedRuns.value.length > 0 ? trainedRuns.value : config.value.runs;
    const methods = methodsOf(runs, metrics.value?.steps ?? config.value.session.steps);
    const values = areRatesCompared(methods) ? ratesOf(methods) : [];
    return { word: 'lr', values, shown: rateShown(methods, config.value.view.comparedLr) };
  });
  app.trainedRuns.subscribe(show);
  app.config.subscribeTo(({ runs }) => runs.map(({ optimizer }) => optimizer), show);
  return element;
}
