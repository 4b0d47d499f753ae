/** Goes to a view, and presses a button of it as soon as it is there and can be pressed. */
export function press(view: string, button: string): void {
  location.hash = view;
  const pressed = () => {
    const found = document.querySelector<HTMLButtonElement>(`#${button}:not(:disabled)`);
    found?.click();
    return found !== null;
  };
  if (pressed()) return;
  const observer = new MutationObserver(() => pressed() && stop());
  const stop = () => {
    observer.disconnect();
    removeEventListener('hashchange', stop);
  };
  observer.observe(document.body, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ['disabled'],
  });
  // Who goes elsewhere meanwhile does not want it any more.
  setTimeout(() => addEventListener('hashchange', stop));
}
