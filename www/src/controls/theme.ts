import './theme.css';
import { h } from './dom';

type Theme = 'auto' | 'light' | 'dark';
const KEY = 'riemann-lora.theme';
const order: readonly Theme[] = ['auto', 'light', 'dark'];
const names: Record<Theme, string> = { auto: 'as the system', light: 'light', dark: 'dark' };
const signs: Record<Theme, string> = { auto: '◐', light: '○', dark: '●' };

/** The switch between light, dark, and whatever the system says. Calls `onChange` when colours differ. */
export function themeSwitch(onChange: () => void): HTMLElement {
  let theme = recall();
  const sign = h('span', { 'aria-hidden': 'true' });
  const words = h('span', { class: 'unseen' });
  const button = h('button', { type: 'button', class: 'quiet theme', id: 'theme' }, sign, words);
  const show = () => {
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    sign.textContent = signs[theme];
    words.textContent = `Colours: ${names[theme]}. Change`;
    button.title = `Colours: ${names[theme]}`;
    onChange();
  };
  button.addEventListener('click', () => {
    theme = order[(order.indexOf(theme) + 1) % order.length] ?? 'auto';
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    show();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange);
  show();
  return button;
}

function recall(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return order.find((theme) => theme === kept) ?? 'auto';
  } catch {
    return 'auto';
  }
}
