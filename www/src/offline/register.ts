import { moduleOf, webgpuModule } from '../engine/engine-module';
import type { Lab } from '../lab/lab';
import { BUILD_META, type OfflineMessage } from './build';

const SECONDS_BETWEEN_LOOKS = 15;

/** Lets the built page open without a network from the next visit on; `onNewVersion` is called when another build took over. */
export async function keepForOffline(lab: Lab, onNewVersion: () => void): Promise<void> {
  const { serviceWorker } = navigator;
  // Insecure origins and some private windows have none.
  if (!import.meta.env.PROD || serviceWorker === undefined) return;
  const build = holdBuild();
  // The first service worker of all takes over too, and that is no new version.
  let known = serviceWorker.controller !== null;
  serviceWorker.addEventListener('controllerchange', () => {
    if (known) onNewVersion();
    known = true;
    // Whoever is in charge now must know whose files this page needs.
    void tell();
  });
  const tell = async () => {
    if (lab.engineReport.value.status !== 'ready') return;
    const { active } = await serviceWorker.ready;
    const message: OfflineMessage = { module: await moduleOf(lab.choice.value.engine), build };
    active?.postMessage(message);
  };
  lab.engineReport.watch(() => void tell());
  try {
    const registration = await serviceWorker.register(new URL('service-worker.js', document.baseURI));
    // Browsers look for a new version when a page is opened, and this one is to tell when its server has built WebGPU.
    if (webgpuModule() === 'to come') {
      setInterval(() => void registration.update().catch(() => undefined), SECONDS_BETWEEN_LOOKS * 1000);
    }
  } catch {
    // The page works as before, only not without a network.
  }
}

/** Says, as long as this page is open, that its build is needed; answers the name of the lock that says so. */
function holdBuild(): string | null {
  const mark = document.querySelector<HTMLMetaElement>(`meta[name="${BUILD_META}"]`)?.content;
  if (mark === undefined) return null;
  const lock = `${mark} ${new URL('.', document.baseURI).pathname}`;
  void navigator.locks?.request(lock, { mode: 'shared' }, () => new Promise(() => {}));
  return lock;
}
