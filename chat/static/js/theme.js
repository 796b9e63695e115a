/** Dark or light: as the system says, until the person chooses. The choice is a cookie, so that the server's page has it. */

import { find, findAll } from './page.js';

const YEAR_S = 365 * 24 * 60 * 60;

const root = document.documentElement;
const toggle = find('#theme-toggle');
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

export function initTheme() {
  followSystem();
  systemIsDark.addEventListener('change', followSystem);
  toggle.addEventListener('click', toggleTheme);
}

function followSystem() {
  if (!root.dataset.theme) root.classList.toggle('dark', systemIsDark.matches);
  toggle.ariaPressed = root.classList.contains('dark');
}

function toggleTheme() {
  const theme = root.classList.toggle('dark') ? 'dark' : 'light';
  toggle.ariaPressed = theme === 'dark';
  root.dataset.theme = theme;
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR_S}; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;
  colourBrowserBars();
}

/** The bars of the browser around the page take the colour of the page. */
function colourBrowserBars() {
  const { backgroundColor } = getComputedStyle(document.body);
  for (const meta of findAll('meta[name="theme-color"]')) meta.content = backgroundColor;
}
