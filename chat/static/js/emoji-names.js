/** The emoji that a name after a `:` may mean, for completion.js. */

import { inTone, loadEmoji, searchEmoji } from './emoji.js';
import { chosenTone, useEmoji, usedEmoji } from './emoji-memory.js';
import { gettext, ngettext } from './i18n.js';
import { isInCode } from './in-code.js';

const MAX_SHOWN = 8;

// A `:` that begins a name, and at least two characters of it: `:D` and `:p` are what they are. It is none in 10:30, http:// or C++::std.
const SIGN = /(?<![\p{L}\p{N}\p{M}_:/]):([\p{L}\p{N}\p{M}+][\p{L}\p{N}\p{M}_+-]{1,31})$/u;

export class EmojiNames {
  label = gettext('Emoji');
  #groups = null; // all emoji, once they are there

  find(before) {
    const found = SIGN.exec(before);
    return found && !isInCode(before.slice(0, found.index)) ? { start: found.index, query: found[1] } : null;
  }

  isComplete() {
    return this.#groups !== null;
  }

  async fetchMore() {
    this.#groups = await loadEmoji();
  }

  /** What was used last comes first. */
  matching(query) {
    const found = this.#groups ? searchEmoji(this.#groups, query.replaceAll('-', '_')) : [];
    const used = usedEmoji();
    const [before, others] = [[], []];
    for (const one of found.slice(0, 4 * MAX_SHOWN)) (used.includes(one.emoji) ? before : others).push(one);
    return [...before, ...others].slice(0, MAX_SHOWN).map((one) => ({ id: one.emoji, ...one }));
  }

  textOf(one) {
    useEmoji(one.emoji);
    return inTone(one, chosenTone());
  }

  foundWords(count) {
    return ngettext('%(num)s emoji found', '%(num)s emoji found', count);
  }

  makeOption(one) {
    const [emoji, name] = ['span', 'span'].map((tag) => document.createElement(tag));
    Object.assign(emoji, { className: 'completion-emoji', textContent: inTone(one, chosenTone()), ariaHidden: 'true' });
    Object.assign(name, { className: 'member-name', textContent: one.name });
    return [emoji, name];
  }
}
