const KEY = 'riemann-lora.welcome';

/** Whether the user has hidden the welcome. */
export function isWelcomeDismissed(): boolean {
  try {
    return localStorage.getItem(KEY) === 'hidden';
  } catch {
    // Storage may be forbidden; then every visit is the first.
    return false;
  }
}

/** Shows the welcome on later visits again. */
export function recallWelcome(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // As above: it was never hidden there.
  }
}

/** Hides the welcome on later visits. */
export function dismissWelcome(): void {
  try {
    localStorage.setItem(KEY, 'hidden');
  } catch {
    // As above: it comes back, which does no harm.
  }
}
