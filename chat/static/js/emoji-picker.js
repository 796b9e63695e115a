/** All emoji, by kind and by search, in the skin tone that the person has chosen. The tone and what was used last stay in this browser. */

import { say } from './announcer.js';
import { inTone, searchEmoji } from './emoji.js';
import { chooseTone, chosenTone, useEmoji, usedEmoji } from './emoji-memory.js';
import { gettext, ngettext } from './i18n.js';
import { find, findAll, fromTemplate, isComposing, part, setText } from './page.js';

export { loadEmoji } from './emoji.js';

const TONES = 6;
const TABS = ['😀', '👋', '🐶', '🍎', '✈️', '⚽', '💡', '🔣', '🏁']; // one for each group
const EMOJI = '.emoji';

/**
 * Makes the picker of `groups`; `onPick(emoji, {name, isKeptOpen})` is called with the one that is chosen. Where it `canStay`, Shift or a button
 * keeps it open.
 */
export function makePicker(groups, onPick, { canStay = false } = {}) {
  const { root } = new EmojiPicker(groups, onPick);
  if (!canStay) part(root, 'keep-open').remove();
  return root;
}

class EmojiPicker {
  #tone = chosenTone();

  constructor(groups, onPick) {
    Object.assign(this, { groups, onPick });
    this.root = fromTemplate('emoji-picker-template');
    this.grid = part(this.root, 'emoji');
    this.search = find('.picker-search', this.root);
    this.#fillTabs();
    this.#fillTones();
    this.#showGroups();
    this.search.addEventListener('input', () => this.#searched());
    this.root.addEventListener('click', (event) => this.#clicked(event));
    this.root.addEventListener('keydown', (event) => this.#pressed(event));
    for (const type of ['focusin', 'pointerover']) this.root.addEventListener(type, ({ target }) => this.#showName(target));
  }

  #fillTabs() {
    const tabs = this.groups.map(({ name }, at) => Object.assign(document.createElement('button'), {
      type: 'button', className: 'picker-tab', textContent: TABS[at], ariaLabel: name, title: name,
    }));
    find('.picker-tabs', this.root).append(...tabs);
  }

  /** Native radio buttons: the arrow keys come with them. */
  #fillTones() {
    const hand = this.groups.flatMap(({ emoji }) => emoji).find(({ emoji }) => emoji === '✋');
    const names = [gettext('No skin tone'), gettext('Light'), gettext('Medium light'), gettext('Medium'), gettext('Medium dark'), gettext('Dark')];
    for (let tone = 0; tone < TONES; tone += 1) {
      const [label, input] = ['label', 'input'].map((tag) => document.createElement(tag));
      Object.assign(input, { type: 'radio', name: 'skin-tone', value: tone, checked: tone === this.#tone, ariaLabel: names[tone] });
      input.addEventListener('change', () => this.#setTone(tone));
      label.append(input, Object.assign(document.createElement('span'), { textContent: inTone(hand, tone) }));
      find('.picker-tones', this.root).append(label);
    }
  }

  #setTone(tone) {
    this.#tone = tone;
    chooseTone(tone);
    if (this.search.value) this.#searched();
    else this.#showGroups();
  }

  // What is shown

  #showGroups() {
    const all = this.groups.flatMap(({ emoji }) => emoji);
    const byEmoji = new Map(all.map((one) => [one.emoji, one]));
    const recent = usedEmoji().map((emoji) => byEmoji.get(emoji)).filter(Boolean);
    const sections = this.groups.map(({ name, emoji }) => this.#makeSection(name, emoji));
    this.sections = [...sections];
    if (recent.length) sections.unshift(this.#makeSection(gettext('Used last'), recent));
    this.#show(sections);
  }

  #searched() {
    const query = this.search.value.trim();
    if (!query) return this.#showGroups();
    const found = searchEmoji(this.groups, query);
    this.#show(found.length ? [this.#makeSection('', found)] : []);
    say(ngettext('%(num)s emoji found', '%(num)s emoji found', found.length));
  }

  #show(sections) {
    this.grid.replaceChildren(...sections);
    this.grid.scrollTop = 0;
    find('.picker-empty', this.root).hidden = sections.length > 0;
    const first = find(EMOJI, this.grid);
    if (first) first.tabIndex = 0;
  }

  #makeSection(name, emoji) {
    const section = document.createElement('section');
    if (name) section.append(Object.assign(document.createElement('h2'), { textContent: name }));
    const grid = Object.assign(document.createElement('div'), { className: 'picker-grid' });
    grid.append(...emoji.map((one) => this.#makeButton(one)));
    section.append(grid);
    return section;
  }

  #makeButton(one) {
    const button = Object.assign(document.createElement('button'), {
      type: 'button', className: 'emoji', tabIndex: -1, textContent: inTone(one, this.#tone), ariaLabel: one.name,
    });
    button.dataset.base = one.emoji;
    return button;
  }

  #showName(target) {
    const button = target.closest(EMOJI);
    if (button) setText(part(this.root, 'emoji-name'), button.ariaLabel);
  }

  // What is pressed

  #clicked(event) {
    const { target } = event;
    const tab = target.closest('.picker-tab');
    const button = target.closest(EMOJI);
    const keep = target.closest('[data-part="keep-open"]');
    if (keep) keep.ariaPressed = String(keep.ariaPressed !== 'true');
    if (tab) this.#goTo(findAll('.picker-tab', this.root).indexOf(tab));
    if (button) this.#pick(button, event);
  }

  #goTo(at) {
    if (this.search.value) {
      this.search.value = '';
      this.#showGroups();
    }
    this.grid.scrollTop = this.sections[at].offsetTop - this.grid.offsetTop;
  }

  #pick({ textContent, dataset, ariaLabel }, { shiftKey }) {
    useEmoji(dataset.base);
    this.onPick(textContent, { name: ariaLabel, isKeptOpen: shiftKey || part(this.root, 'keep-open')?.ariaPressed === 'true' });
  }

  #pressed(event) {
    const buttons = findAll(EMOJI, this.grid);
    const isInSearch = event.target === this.search;
    if (isComposing(event)) return;
    if (isInSearch && event.key === 'Enter' && buttons.length) this.#pick(buttons[0], event);
    else if (isInSearch && event.key === 'ArrowDown') buttons[0]?.focus();
    else if (!event.target.matches(EMOJI) || !this.#moved(event, buttons)) return;
    event.preventDefault();
  }

  #moved({ key, target }, buttons) {
    const at = buttons.indexOf(target);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key] * (getComputedStyle(this.grid).direction === 'rtl' ? -1 : 1);
    const row = { ArrowUp: -1, ArrowDown: 1 }[key];
    const next = row ? inNextRow(buttons, at, row) : buttons[at + step];
    if (row === -1 && !next) this.search.focus();
    if (!next) return Boolean(row);
    target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
    return true;
  }
}

/** The element above or below the one at `at`; the last rows of the groups are shorter. */
function inNextRow(elements, at, step) {
  const { left, top } = elements[at].getBoundingClientRect();
  const topOf = (place) => elements[place]?.getBoundingClientRect().top;
  const distance = (place) => Math.abs(elements[place].getBoundingClientRect().left - left);
  let place = at + step;
  while (topOf(place) === top) place += step;
  const rowTop = topOf(place);
  let nearest = place;
  for (; rowTop !== undefined && topOf(place) === rowTop; place += step) {
    if (distance(place) < distance(nearest)) nearest = place;
  }
  return elements[nearest];
}
