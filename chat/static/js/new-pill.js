/** The button that leads to the end, for a reader who is further up. It says how many messages have come meanwhile. */

import { badge, gettext, ngettext } from './i18n.js';
import { find, part, setText } from './page.js';

export class NewPill {
  #count = 0;

  /** `onPress()` goes to the end. */
  constructor(section, { onPress, signal }) {
    this.button = find('#new-pill', section);
    this.button.addEventListener('click', onPress, { signal });
  }

  /** Shows it, with the `added` messages too. */
  show(added = 0) {
    this.#count += added;
    this.button.hidden = false;
    this.button.toggleAttribute('data-count', this.#count > 0);
    const words = this.#count ? ngettext('%(num)s new', '%(num)s new', this.#count, badge(this.#count)) : gettext('To the newest messages');
    setText(part(this.button, 'count'), words);
  }

  hide() {
    this.#count = 0;
    this.button.hidden = true;
  }
}
