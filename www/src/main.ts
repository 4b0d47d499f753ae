import 'uplot/dist/uPlot.min.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/controls.css';
import './styles/feedback.css';
import './styles/setup.css';
import './styles/train.css';
import './styles/times.css';
import './styles/samples.css';
import './styles/adapters.css';
import './styles/heat.css';
import './styles/sources.css';
import './styles/tabs.css';
import './styles/theory.css';
import './styles/share.css';
import './styles/keep.css';
import './styles/sweep.css';
import './styles/runs.css';
import './styles/welcome.css';
import './styles/images.css';
import { App } from './app';
import { Keeper } from './keep/keeper';
import { chooseEngine, findAdapter } from './lab/engine-choice';
import { Lab } from './lab/lab';
import { spawnWorker } from './lab/worker-link';
import { keepForOffline } from './offline/register';
import { openRuns } from './runs/open';
import { Signal } from './signal';
import { keepConfig, recallConfig } from './store/settings-store';
import { TRAINING_FOLDER } from './store/usage';
import { openVault } from './store/vault';
import { openSweep } from './sweep/open';
import { adapterPanel } from './ui/adapter-panel';
import { chartsPanel } from './ui/charts-panel';
import { dataPanel } from './ui/data-panel';
import { byId } from './ui/dom';
import { enginePanel } from './ui/engine-panel';
import { showProblems } from './ui/field';
import { footer } from './ui/footer';
import { inPieces } from './ui/in-pieces';
import { languageSettings, languageSource } from './ui/language-options';
import { linkPanel } from './ui/link-panel';
import { modelPanel } from './ui/model-panel';
import { newVersion } from './ui/new-version';
import { resumeOffer } from './ui/resume-offer';
import { samplePanel } from './ui/sample-panel';
import { settingsPanel } from './ui/settings-panel';
import { storagePanel } from './ui/storage-panel';
import { tabs } from './ui/tabs';
import { themeSwitch } from './ui/theme';
import { tellThemeChanged } from './ui/theme-changed';
import { tokenLossPanel } from './ui/token-loss-panel';
import { transportPanel } from './ui/transport-panel';
import { welcome } from './ui/welcome';

const BYTES_PER_GIB = 2 ** 30;

/** What the browser tells of the machine. */
function machine() {
  const { deviceMemory = 0 } = navigator as { deviceMemory?: number };
  return { cores: navigator.hardwareConcurrency || 2, memory: deviceMemory * BYTES_PER_GIB };
}

async function begin(): Promise<void> {
  const { config, notes } = recallConfig();
  const lab = new Lab(spawnWorker, machine());
  const app = new App(lab, new Signal(config));
  app.config.subscribe(keepConfig);
  byId('engine').append(...enginePanel(app, themeSwitch(tellThemeChanged)));
  const runs = openRuns(app);
  const sweep = openSweep(app, runs);
  tabs(byId('tabs'), {
    sweep: async () => (await import('./ui/sweep-view')).sweepView(sweep),
    runs: async () => (await import('./ui/runs-view')).runsView(app, runs),
    images: async () => (await import('./ui/images-view')).imagesView(spawnWorker, machine(), lab),
    theory: async () => (await import('./ui/theory-view')).theoryView(spawnWorker),
  });
  const greeting = welcome(app);
  if (greeting !== null) byId('language-view').prepend(greeting);
  const keeper = new Keeper(app, openVault(TRAINING_FOLDER));
  const link = linkPanel(app);
  const books = { 'Runs of the table': runs, 'Results of sweeps': sweep.book };
  await inPieces([
    ['model', () => modelPanel(app)],
    ['data', () => dataPanel(app)],
    ['settings', () => [link.notice, ...settingsPanel(app, languageSettings), link.element]],
    [
      'train',
      () => [
        ...resumeOffer(app, keeper),
        ...transportPanel(app),
        ...chartsPanel(app, () => languageSource(app)),
      ],
    ],
    ['samples', () => samplePanel(app)],
    ['token-losses', () => tokenLossPanel(app)],
    ['adapters', () => adapterPanel(app)],
    ['footer', () => [...footer(), storagePanel(keeper, books)]],
  ]);
  document.body.classList.remove('building');
  const version = newVersion();
  byId('footer').after(version.element);
  void keeper.look();
  void keepForOffline(lab, version.show);
  document.addEventListener('visibilitychange', () => document.hidden && keeper.hurry());
  app.problems.watch((problems) => showProblems(byId('language-view'), problems));
  if (notes.length > 0) lab.notice.set(notes.join(' '));
  if (new URLSearchParams(location.search).has('test-hooks')) {
    const { installTestHooks } = await import('./test-hooks');
    installTestHooks(app);
  }
  const adapter = await findAdapter();
  let preference = app.config.value.engine;
  const use = async () => {
    const choice = chooseEngine(preference, adapter);
    const answer = await lab.useEngine(choice);
    if (answer.ok || choice.engine === 'cpu') return;
    const reason = `WebGPU did not start (${answer.failure.message}), so the CPU trains.`;
    await lab.useEngine({ engine: 'cpu', reason, gpuUsable: false });
  };
  app.config.subscribe(({ engine }) => {
    if (engine === preference) return;
    preference = engine;
    void use();
  });
  await use();
}

void begin();
