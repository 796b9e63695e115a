/**
 * From page to page without loading anew: the part of the page that changes, `#main`, is fetched and put in place.
 * What cannot be shown so is left to the browser.
 */

import { roomKey } from './address.js';
import { showNotice } from './banner.js';
import { showAge } from './dates.js';
import { request, submit } from './http.js';
import { gettext } from './i18n.js';
import { loadLaterStyles } from './later-styles.js';
import { find, findAll, isPlainClick, parseHtml, pathOf } from './page.js';
import { setPageTitle } from './title.js';

const SKELETON_DELAY_MS = 250; // a page that comes sooner needs no placeholder

/** The home page does without what a conversation needs. */
const loadConversation = () => import('./conversation.js');

export class Navigation {
  conversation = null; // the open one
  #shownPath = pathOf(location);
  #scrollPositions = new Map(); // path → where its reader left
  #visit = null; // the visit under way: {controller, nodes, position}, with what to put back if it fails

  constructor(lists, outbox) {
    Object.assign(this, { lists, outbox });
    document.addEventListener('click', (event) => this.#clicked(event));
    document.addEventListener('submit', (event) => this.#submitted(event));
    addEventListener('popstate', () => {
      if (pathOf(location) !== this.#shownPath) this.visit(new URL(location), { isPush: false });
      else this.#visit?.controller.abort();
    });
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
    if (!section) return;
    const { Conversation } = await loadConversation();
    if (!section.isConnected) return; // left meanwhile
    this.conversation = new Conversation(section, keyOfSection(section), this.lists, this.outbox, () => this.goHome());
    this.conversation.open(position);
  }

  leave() {
    this.conversation?.leave();
    this.conversation = null;
  }

  goHome() {
    return this.visit(new URL('/', location));
  }

  async visit(url, { isPush = true } = {}) {
    this.#visit?.controller.abort();
    if (pathOf(url) === '/') {
      this.#scrollPositions.set(this.#shownPath, this.#visit ? this.#visit.position : this.conversation?.messageList.position());
      this.#visit = null;
      return this.#replace(homePage(), url, isPush);
    }
    const main = find('#main');
    // A visit that begins while another is under way puts back what was there before both.
    const before = this.#visit ?? { nodes: [...main.childNodes], position: this.conversation?.messageList.position() };
    const visit = this.#visit = { ...before, controller: new AbortController() };
    const { signal } = visit.controller;
    const timer = setTimeout(() => main.replaceChildren(find('#history-skeleton').content.cloneNode(true)), SKELETON_DELAY_MS);
    try {
      const response = await request(url, 'text/html', signal);
      const page = parseHtml(await response.text());
      this.#scrollPositions.set(this.#shownPath, visit.position);
      await this.#load(page); // before the page is touched: it may not come either
      signal.throwIfAborted();
      await this.#replace(page, new URL(response.url), isPush);
    } catch (error) {
      if (this.#visit !== visit) return; // another visit has begun
      if (error.status) return void location.assign(url);
      this.#putBack(visit, isPush);
    } finally {
      clearTimeout(timer);
      if (this.#visit === visit) this.#visit = null;
    }
  }

  /** Loads what a page needs beside itself. */
  async #load(page) {
    const hasLaterStyles = find('link[href$="/later.css"]', page);
    await Promise.all([loadConversation(), hasLaterStyles && loadLaterStyles()]);
  }

  async #replace(page, url, isPush) {
    const leftKey = this.conversation?.key;
    this.leave();
    this.#shownPath = pathOf(url);
    if (isPush) history.pushState(null, '', url);
    find('#main').replaceWith(find('#main', page));
    find('#shell').dataset.pane = find('#shell', page).dataset.pane;
    setPageTitle(page.title);
    await this.enter(isPush ? null : this.#scrollPositions.get(this.#shownPath));
    if (this.conversation) this.conversation.focus();
    else if (leftKey) this.lists.card(leftKey)?.querySelector('a').focus({ preventScroll: true });
  }

  /** Shows again what was there before a visit that has failed, or that the person has taken back. */
  #putBack({ nodes, position, controller }, isPush) {
    find('#main').replaceChildren(...nodes);
    if (!isPush && pathOf(location) !== this.#shownPath) history.pushState(null, '', this.#shownPath);
    this.conversation?.messageList.open(position, 0);
    if (!controller.signal.aborted) showNotice(gettext('This page cannot be loaded without a connection. Try again when you are online.'));
  }

  /** The forms of rooms: their answer, the page that they lead to or that says why not, is put in place. */
  async #submitted(event) {
    const { target: form, submitter } = event;
    if (!form.matches('#main form[action^="/rooms"]') || event.defaultPrevented) return;
    event.preventDefault();
    form.ariaBusy = 'true';
    try {
      const response = await submit(form, submitter);
      const page = parseHtml(await response.text());
      if (!find('#main', page)) return void location.assign(response.url);
      await this.#load(page);
      const url = new URL(response.redirected ? response.url : location);
      await this.#replace(page, url, pathOf(url) !== this.#shownPath);
      this.lists.refresh();
    } catch {
      form.ariaBusy = 'false';
      showNotice(gettext('The server did not answer. Please try again.'));
    }
  }

  #clicked(event) {
    const link = event.target.closest('a[href]');
    if (!link || link.target || link.getAttribute('href').startsWith('#') || !isPlainClick(event) || event.defaultPrevented) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !(url.pathname === '/' || url.pathname.startsWith('/chat/') || url.pathname.startsWith('/rooms'))) return;
    event.preventDefault();
    if (pathOf(url) !== this.#shownPath || this.#visit) this.visit(url);
  }
}

function keyOfSection({ dataset }) {
  return dataset.roomId ? roomKey(dataset.roomId) : Number(dataset.peerId);
}

/** The page without a conversation. All of it is here, so that it needs no network. */
function homePage() {
  const page = parseHtml('<div id="shell" data-pane="list"><main id="main"></main></div>');
  const template = find('#welcome-template');
  find('#main', page).append(template.content.cloneNode(true));
  page.title = template.dataset.title;
  return page;
}
