import './page/layers.css';
import './page/tokens.css';
import './page/base.css';
import './controls/elements.css';
import './page/layout.css';
import { byId } from './controls/dom';
import { catchDrops } from './controls/drop-beside';
import { showProblems } from './controls/field';
import { keepFocus } from './controls/focus';
import { inPieces } from './controls/in-pieces';
import { press } from './controls/press';
import { tabs } from './controls/tabs';
import { themeSwitch } from './controls/theme';
import { tellThemeChanged } from './controls/theme-changed';
import { chooseEngine, findAdapter } from './engine/engine-choice';
import { webgpuModule } from './engine/engine-module';
import { chartsPanel } from './experiment/curves/charts-panel';
import { settingsPanel } from './experiment/settings/settings-panel';
import { transportPanel } from './experiment/transport-panel';
import type { KeptPictures } from './images/keeping';
import { Keeper } from './keep/keeper';
import { keptOffer } from './keep/kept-offer';
import { openTrainings } from './keep/kept-trainings';
import { storagePanel } from './keep/storage-panel';
import { Lab } from './lab/lab';
import { spawnWorker } from './lab/worker-link';
import { adapterPanel } from './language/adapters/adapter-panel';
import { App } from './language/app';
import { dataPanel } from './language/data/data-panel';
import { enginePanel } from './language/engine-panel';
import { type KeptText, keepText } from './language/keeping';
import { languageSettings, languageSource } from './language/language-options';
import { linkPanel } from './language/link-panel';
import { modelPanel } from './language/model/model-panel';
import { samplePanel } from './language/samples/sample-panel';
import { keepConfig, recallConfig } from './language/settings-store';
import { tokenLossPanel } from './language/tokens/token-loss-panel';
import { welcome } from './language/welcome/welcome';
import { newVersion } from './offline/new-version';
import { keepForOffline } from './offline/register';
import { footer } from './page/footer';
import { openRuns } from './runs/open';
import { Signal } from './signal';
import { browserTabs } from './store/browser-tabs';
import type { Sweep } from './sweep/sweep';

const BYTES_PER_GIB = 2 ** 30;

/** What the browser tells of the machine. */
function machine() {
  const { deviceMemory = 0 } = navigator as { deviceMemory?: number };
  return { cores: navigator.hardwareConcurrency || 2, memory: deviceMemory * BYTES_PER_GIB };
}

async function begin(): Promise<void> {
  const { config, notes } = recallConfig();
  const lab = new Lab(spawnWorker, machine(), { name: 'the Language tab' });
  const app = new App(lab, new Signal(config));
  app.config.subscribe(keepConfig);
  keepFocus();
  byId('engine').append(...enginePanel(app, themeSwitch(tellThemeChanged)));
  const others = browserTabs();
  const runs = openRuns(app, others);
  const texts = openTrainings<KeptText>('riemann-lora-training', others);
  const pictures = openTrainings<KeptPictures>('riemann-lora-pictures', others);
  let opened: Sweep | undefined;
  const sweep = async () => {
    const { openSweep } = await import('./sweep/open');
    opened ??= openSweep(app, runs, others);
    return opened;
  };
  const trials = {
    tournament: () => press('language', 'train-now'),
    pictures: () => press('images', 'images-learn'),
    theory: () => {
      location.hash = 'theory';
    },
    ranks: async () => {
      (await sweep()).change((settings) => Object.assign(settings, { quantity: 'rank' }));
      location.hash = 'sweep';
    },
  };
  tabs(byId('tabs'), {
    claims: async () => (await import('./claims/claims-view')).claimsView(trials),
    sweep: async () => (await import('./sweep/sweep-view')).sweepView(await sweep()),
    runs: async () => (await import('./runs/runs-view')).runsView(app, runs),
    images: async () => (await import('./images/images-view')).imagesView(spawnWorker, lab, pictures),
    theory: async () => (await import('./theory/theory-view')).theoryView(spawnWorker, lab.budget),
  });
  const greeting = welcome(app);
  byId('language-view').prepend(...greeting.elements);
  const keeper = new Keeper(keepText(app), texts);
  const link = linkPanel(app);
  const results = {
    size: async () => (await sweep()).book.size(),
    empty: async () => (await sweep()).book.empty(),
  };
  const books = { 'Runs of the table': runs, 'Results of sweeps': results };
  const kept = { 'Kept trainings, with their data and files': texts, 'Kept trainings on pictures': pictures };
  await inPieces([
    ['model', () => modelPanel(app)],
    ['data', () => dataPanel(app)],
    ['settings', () => [link.notice, ...settingsPanel(app, languageSettings), link.element]],
    [
      'train',
      () => [...keptOffer(keeper), ...transportPanel(app), ...chartsPanel(app, () => languageSource(app))],
    ],
    ['samples', () => samplePanel(app)],
    ['token-losses', () => tokenLossPanel(app)],
    ['adapters', () => adapterPanel(app)],
    ['footer', () => [greeting.again, ...footer(), storagePanel(kept, books)]],
  ]);
  document.body.append(catchDrops());
  document.body.classList.remove('building');
  const version = newVersion();
  byId('footer').after(version.element);
  void texts.look();
  void keepForOffline(lab, version.show);
  document.addEventListener('visibilitychange', () => document.hidden && keeper.hurry());
  app.problems.watch((problems) => showProblems(byId('language-view'), problems));
  if (notes.length > 0) lab.notice.set(notes.join(' '));
  if (new URLSearchParams(location.search).has('test-hooks')) {
    // Only where tests serve them.
    const hooks = await import('./test-hooks').catch(() => null);
    hooks?.installTestHooks(app);
  }
  const adapter = await findAdapter();
  let preference = app.config.value.engine;
  const use = () => lab.useEngine(chooseEngine(preference, adapter, webgpuModule()));
  app.config.subscribeTo(
    ({ engine }) => engine,
    (engine) => {
      preference = engine;
      void use();
    },
  );
  await use();
}

void begin();
