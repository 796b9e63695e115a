import assert from 'node:assert/strict';
import { test } from 'node:test';

// As much of a page as the theme asks for.
const classes = new Set();
const toggle = Object.assign(new EventTarget(), { ariaPressed: null });
const classList = {
  contains: name => classes.has(name),
  toggle(name, force = !classes.has(name)) {
    classes[force ? 'add' : 'delete'](name);
    return force;
  },
};
globalThis.document = {
  documentElement: { dataset: {}, classList }, body: { dataset: {} }, querySelector: () => toggle, querySelectorAll: () => [], cookie: '',
};
globalThis.matchMedia = () => Object.assign(new EventTarget(), { matches: false });
globalThis.getComputedStyle = () => ({ backgroundColor: '#fff' });
const { initTheme } = await import('../../chat/static/js/theme.js');
initTheme();

test('the choice is kept in a cookie, which under https is sent over https alone', () => {
  for (const [protocol, theme, isSecure] of [['https:', 'dark', true], ['http:', 'light', false]]) {
    globalThis.location = { protocol };
    toggle.dispatchEvent(new Event('click'));
    assert.ok(document.cookie.startsWith(`theme=${theme}; path=/;`), document.cookie);
    assert.equal(/; secure$/.test(document.cookie), isSecure, document.cookie);
  }
});
