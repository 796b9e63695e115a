/** Visits another page: its `#main` is fetched and put in place of the one that is there. Loaded later, by navigation.js. */

import { showNotice } from './banner.js';
import { expectSession, request, requestPage, send } from './http.js';
import { gettext } from './i18n.js';
import { focusPanel, focusPressed, focusWanted, identityOf, isInOpenPanel, isPanelOnly, putPanel, showRefusal } from './info-panel.js';
import { loadStyles } from './later-styles.js';
import { find, findAll, parseHtml, part, pathOf } from './page.js';
import { setPageTitle } from './title.js';

const SKELETON_DELAY_MS = 250; // a page that comes sooner needs no placeholder

export class Visits {
  #scrollPositions = new Map(); // path → where its reader left
  #visit = null; // the visit under way: {controller, nodes, position}, with what to put back if it fails

  #panelVisit = null; // the opening or closing of a panel that was begun last
  #unanswered = new Set(); // the forms that were sent, each by its identity

  /** `navigation` has the page that is shown. */
  constructor(navigation) {
    this.navigation = navigation;
  }

  /** Back or Forward was pressed. */
  popped() {
    if (pathOf(location) !== this.navigation.shownPath) return this.visit(new URL(location), { isPush: false });
    this.#visit?.controller.abort();
    this.#panelVisit = null;
  }

  /** A link was pressed. What somebody has typed into the panel stays when another link asks for a field of it. */
  follow(url) {
    if (!this.#visit && isInOpenPanel(url, this.navigation.shownPath)) return focusWanted(url.searchParams.get('info'));
    if (pathOf(url) !== this.navigation.shownPath || this.#visit) return this.visit(url);
  }

  async visit(url, { isPush = true } = {}) {
    if (!this.#visit && this.navigation.conversation && isPanelOnly(url, this.navigation.shownPath)) return this.#visitPanel(url, isPush);
    this.#visit?.controller.abort();
    if (pathOf(url) === '/') {
      this.#scrollPositions.set(this.navigation.shownPath, this.#visit ? this.#visit.position : this.navigation.conversation?.messageList.position());
      this.#visit = null;
      return this.#replace(homePage(), url, isPush);
    }
    const main = find('#main');
    // A visit that begins while another is under way puts back what was there before both.
    const before = this.#visit ?? { nodes: [...main.childNodes], position: this.navigation.conversation?.messageList.position() };
    const visit = this.#visit = { ...before, controller: new AbortController() };
    const { signal } = visit.controller;
    const timer = setTimeout(() => main.replaceChildren(find('#history-skeleton').content.cloneNode(true)), SKELETON_DELAY_MS);
    try {
      const response = await request(url, 'text/html', signal);
      const page = parseHtml(await response.text());
      this.#scrollPositions.set(this.navigation.shownPath, visit.position);
      await this.#load(page); // before the page is touched: it may not come either
      signal.throwIfAborted();
      await this.#replace(page, new URL(response.url), isPush);
    } catch (error) {
      if (this.#visit !== visit || error.isLoggedOut) return; // another visit has begun, or the login page is coming
      if (error.status) return void location.assign(url);
      this.#putBack(visit, isPush);
    } finally {
      clearTimeout(timer);
      if (this.#visit === visit) this.#visit = null;
    }
  }

  /** Opens or closes the panel: the conversation beside it stays as it is. */
  async #visitPanel(url, isPush) {
    const { conversation } = this.navigation;
    const visit = this.#panelVisit = {};
    const isCurrent = () => !this.#visit && this.#panelVisit === visit && this.navigation.conversation === conversation;
    let page = null;
    try {
      if (url.searchParams.has('info')) page = await requestPage(url);
      if (page) await this.#load(page);
    } catch (error) {
      if (!isCurrent() || error.isLoggedOut) return;
      if (error.status) return void location.assign(url);
      return this.#sayUnreachable(isPush);
    }
    if (!isCurrent()) return; // another page, meanwhile
    this.#arrive(url, isPush);
    putPanel(page);
    focusPanel();
  }

  #arrive(url, isPush) {
    this.navigation.shownPath = pathOf(url);
    if (isPush) history.pushState(null, '', url);
  }

  /** Says that a page does not come; its address is not the one that is shown. */
  #sayUnreachable(isPush) {
    if (!isPush && pathOf(location) !== this.navigation.shownPath) history.pushState(null, '', this.navigation.shownPath);
    showNotice(unreachableWords());
  }

  /** Loads what a page needs beside itself. */
  async #load(page) {
    const names = findAll(':not(noscript) > link[rel="stylesheet"]', page).map(({ href }) => /(\w+)\.css$/.exec(href)[1]);
    await Promise.all([this.navigation.loadConversation(), ...names.filter((name) => name !== 'app').map(loadStyles)]);
  }

  async #replace(page, url, isPush) {
    const leftKey = this.navigation.conversation?.key;
    this.navigation.leave();
    this.#arrive(url, isPush);
    find('#main').replaceWith(find('#main', page));
    find('#shell').dataset.pane = find('#shell', page).dataset.pane;
    setPageTitle(page.title);
    await this.navigation.enter(isPush ? null : this.#scrollPositions.get(this.navigation.shownPath));
    if (this.navigation.conversation) this.navigation.conversation.focus();
    else this.#focusPage(pathOf(url) === '/' && leftKey);
  }

  /** Moves the focus to the card of a conversation that was left for the home page, or to a field with an error, or to the heading. */
  #focusPage(leftKey) {
    const card = leftKey && this.navigation.lists.card(leftKey);
    const wanted = card ? find('a', card) : (find('#main [aria-invalid]') ?? find('#main h1[tabindex]'));
    wanted?.focus({ preventScroll: true });
  }

  /** Shows again what was there before a visit that has failed, or that the person has taken back. */
  #putBack({ nodes, position, controller }, isPush) {
    find('#main').replaceChildren(...nodes);
    if (!isPush && pathOf(location) !== this.navigation.shownPath) history.pushState(null, '', this.navigation.shownPath);
    this.navigation.conversation?.messageList.open(position, 0);
    if (!controller.signal.aborted) showNotice(unreachableWords());
  }

  /**
   * Sends a form once, and puts in place the page that it leads to, or the one that says why not. Who has gone elsewhere meanwhile stays
   * there: only the list of rooms shows what has become of it.
   */
  async send(form, submitter) {
    const identity = identityOf(form);
    if (this.#unanswered.has(identity)) return;
    const main = find('#main');
    const isOfPanel = Boolean(form.closest('#info-panel'));
    const isLeft = () => Boolean(this.#visit) || find('#main') !== main || (isOfPanel && !find('#info-panel'));
    this.#unanswered.add(identity);
    form.ariaBusy = 'true';
    try {
      const response = await submit(form, submitter);
      const page = parseHtml(await response.text());
      if (find('#main', page)) await this.#load(page);
      if (isLeft()) return void this.navigation.lists.rooms.refresh();
      if (!find('#main', page)) return this.#refused(form, response, page);
      const url = new URL(response.redirected ? response.url : location);
      const isPush = pathOf(url) !== this.navigation.shownPath;
      if (this.#isOpenRoom(page) && find('#info-panel', page)) {
        this.#arrive(url, isPush);
        this.#putAnswer(page, form, submitter);
      } else {
        await this.#replace(page, url, isPush);
      }
      this.navigation.lists.rooms.refresh();
    } catch (error) {
      if (!error.isLoggedOut && !isLeft()) showNotice(gettext('The server did not answer. Please try again.'));
    } finally {
      this.#unanswered.delete(identity);
      form.ariaBusy = 'false'; // a visit that has failed may put it back
    }
  }

  /** A page of an error has words alone. Its address may be one that only forms lead to. */
  #refused(form, response, page) {
    if (response.ok) return void location.assign(response.url);
    showRefusal(form, part(page, 'detail')?.textContent ?? gettext('The server did not answer. Please try again.'));
  }

  #isOpenRoom(page) {
    const { roomId } = find('#conversation', page)?.dataset ?? {};
    return Boolean(roomId) && this.navigation.conversation?.section.dataset.roomId === roomId;
  }

  /** Replaces the panel by a form's answer; the draft and the scroll position stay. After a name was added, the form stays open for the next. */
  #putAnswer(page, form, submitter) {
    const isAdding = Boolean(form.closest('.add-member')) && !find('#info-panel .alert', page);
    if (isAdding) find('.add-member', page)?.setAttribute('open', '');
    putPanel(page, form);
    showAround(page);
    if (isAdding) focusPanel();
    else focusPressed(form, submitter);
  }
}

/** Shows what a page of the open room says about it beside the panel. */
function showAround(page) {
  for (const selector of ['.unwritten', '.member-faces', '.peer-line']) {
    const fresh = find(`#conversation ${selector}`, page);
    const known = find(`#conversation ${selector}`);
    if (fresh) known?.replaceWith(fresh);
    else known?.remove();
  }
}

const unreachableWords = () => gettext('This page cannot be loaded without a connection. Try again when you are online.');

/** The page without a conversation. All of it is here, so that it needs no network. */
function homePage() {
  const page = parseHtml('<div id="shell" data-pane="list"><main id="main"></main></div>');
  const template = find('#welcome-template');
  find('#main', page).append(template.content.cloneNode(true));
  page.title = template.dataset.title;
  return page;
}

/** Sends a form as the browser would. Resolves to the page that it leads to, or to the one that says why not. */
async function submit(form, submitter) {
  const response = await send(form.action, { method: 'POST', body: new FormData(form, submitter), headers: { Accept: 'text/html' } });
  expectSession(response);
  return response;
}
