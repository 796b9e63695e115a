/**
 * From page to page without loading anew: the part of the page that changes, `#main`, is put in place (visits.js). What
 * cannot be shown so is left to the browser.
 */

import { roomKey } from './address.js';
import { showNotice } from './banner.js';
import { showAge } from './dates.js';
import { gettext } from './i18n.js';
import { loadPageMore } from './load-page-more.js';
import { find, findAll, isPlainClick, pathOf } from './page.js';

export class Navigation {
  conversation = null; // the open one
  shownPath = pathOf(location);
  #loaded = null; // the Visits

  /** The home page does without what a conversation needs. */
  loadConversation = () => import('./conversation.js');

  /** `onEnded(key)` is called when the reader of the open conversation has no access to it any more. */
  constructor(lists, outbox, onEnded) {
    Object.assign(this, { lists, outbox, onEnded });
    document.addEventListener('click', (event) => this.#clicked(event));
    document.addEventListener('submit', (event) => this.#submitted(event));
    addEventListener('popstate', () => (this.#loaded || pathOf(location) !== this.shownPath) && this.#visits('popped'));
  }

  /** The open conversation, if it is the one with that key (address.js). */
  conversationWith(key) {
    return this.conversation?.key === key ? this.conversation : null;
  }

  /** Brings to life what `#main` shows. Throws where a script of it does not come. */
  async enter(position = null) {
    const section = find('#conversation');
    const messagePage = find('#message-page');
    this.lists.setOpen(section && keyOfSection(section));
    findAll(':is(.room-cards, .pin) [data-part="time"]').forEach(showAge);
    if (messagePage) import('./details.js').then(({ hydratePage }) => hydratePage(messagePage), () => {});
    if (!section && find('#main .image')) this.loadConversation().catch(() => {}); // it opens them
    if (!section) return;
    const { Conversation } = await this.loadConversation();
    if (!section.isConnected) return; // left meanwhile
    this.conversation = new Conversation(section, keyOfSection(section), this.lists, this.outbox, { goHome: () => this.goHome(), onEnded: this.onEnded });
    this.conversation.open(position);
  }

  leave() {
    this.conversation?.leave();
    this.conversation = null;
  }

  goHome() {
    return this.visit(new URL('/', location));
  }

  /** Calls a method of the Visits, which are loaded later. */
  async #visits(name, ...values) {
    const module = await loadPageMore().catch(() => null);
    if (!module) return showNotice(gettext('This page cannot be loaded without a connection. Try again when you are online.'));
    this.#loaded ??= new module.Visits(this);
    return this.#loaded[name](...values);
  }

  visit(url) {
    return this.#visits('visit', url);
  }

  /** The forms of rooms. */
  #submitted(event) {
    const { target: form, submitter } = event;
    if (!form.matches('#main form[action^="/rooms"]') || event.defaultPrevented) return;
    event.preventDefault();
    this.#visits('send', form, submitter);
  }

  #clicked(event) {
    const link = event.target.closest('a[href]');
    if (!link || link.target || link.getAttribute('href').startsWith('#') || !isPlainClick(event) || event.defaultPrevented) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !(url.pathname === '/' || url.pathname.startsWith('/chat/') || url.pathname.startsWith('/rooms'))) return;
    event.preventDefault();
    this.#visits('follow', url);
  }
}

function keyOfSection({ dataset }) {
  return dataset.roomId ? roomKey(dataset.roomId) : Number(dataset.peerId);
}
