import assert from 'node:assert/strict';
import { test } from 'node:test';

// As much of a page as a panel asks for.
class FakeElement extends EventTarget {
  style = {};
  offsetWidth = 100;
  offsetHeight = 100;
  isConnected = true;

  append() {}

  contains() { return false; }

  getBoundingClientRect() { return { left: 0, right: 0, top: 0, bottom: 0 }; }

  showPopover() {}

  remove() { this.isRemoved = true; }
}

globalThis.document = { body: { dataset: {} }, createElement: () => new FakeElement(), querySelector: () => new FakeElement() };
Object.assign(globalThis, { innerWidth: 800, innerHeight: 600, addEventListener: () => {}, getComputedStyle: () => ({ direction: 'ltr' }) });
const { openPopover } = await import('../../chat/static/js/popover.js');

/** Opens a panel and presses a key in it; returns whether the panel is closed. */
function isClosedBy(key) {
  const { panel } = openPopover(new FakeElement(), new FakeElement());
  panel.dispatchEvent(Object.assign(new Event('keydown', { cancelable: true }), key));
  return panel.isRemoved === true;
}

test('Escape closes a panel, and no other key does', () => {
  assert.equal(isClosedBy({ key: 'Escape' }), true);
  assert.equal(isClosedBy({ key: 'a' }), false);
});

test('Escape that ends a composition closes nothing', () => {
  assert.equal(isClosedBy({ key: 'Escape', isComposing: true }), false);
  assert.equal(isClosedBy({ key: 'Escape', keyCode: 229 }), false);
});
