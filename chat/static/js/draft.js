/** The draft of a conversation: what was written and not sent. It outlives the page in the browser's storage, until its person logs out. */

import { me } from './page.js';

const unsaved = new Map(); // key → text, where the browser's storage is closed or full: it ends with the page

export class Draft {
  /** Of the conversation with that key (address.js). */
  constructor(key) {
    this.key = `draft:${me.id}:${key}`;
    this.known = this.text; // what this page has stored or shown last
  }

  get text() {
    try {
      return unsaved.get(this.key) ?? localStorage.getItem(this.key) ?? '';
    } catch {
      return '';
    }
  }

  /** Returns false if the browser does not store it. */
  save(text) {
    this.known = text;
    try {
      if (text) localStorage.setItem(this.key, text);
      else localStorage.removeItem(this.key);
      unsaved.delete(this.key);
      return true;
    } catch {
      unsaved.set(this.key, text);
      return !text;
    }
  }
}
