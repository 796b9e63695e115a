/** The list of people: who is online, who wrote last, what is unread, and the search. */

import { showAge } from './dates.js';
import { request } from './http.js';
import { badge, formatNumber, gettext, ngettext, unreadWords } from './i18n.js';
import { debounce, find, findAll, fromTemplate, me, parseHtml, part, setText } from './page.js';
import { markDelivered, online } from './socket.js';
import { shortened } from './text.js';

const SEARCH_PAUSE_MS = 150;
const SLOW_MS = 250;
const REFRESH_PAUSE_MS = 500;
const TYPING_MS = 5_000;

const usersUrl = (parameters) => `/users?${new URLSearchParams(parameters)}`;

/** A name as it is searched: without case and accents. */
const folded = (name) => name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

const lastSeqOf = (card) => Number(card?.dataset.lastSeq) || 0;

const sum = (counts) => [...counts].reduce((total, count) => total + count, 0);

export class People {
  #typing = new Map(); // user id → timer
  #unread = new Map(); // user id → messages; of everyone seen so far, whatever the search shows
  #unreadElsewhere = 0; // messages of people whom the list has not shown
  #readSeq = new Map(); // user id → seq of the last message read
  #loading;
  #filtering = null; // {shown, query}: what to put back if the search under way fails
  #everyone = null; // the cards that are searched without a network
  #active = null; // the link that the arrow keys have chosen in the search
  #isHeard = true; // whether the server tells who is online

  /** `onUnread(total)` is told how many messages wait in all, `say(words)` what a search has found. */
  constructor(onUnread, say) {
    Object.assign(this, { onUnread, say });
    this.scroll = find('#people-scroll');
    this.search = find('#search-input');
    this.query = this.search.value.trim();
    this.openId = 0;
    this.refreshSoon = debounce(REFRESH_PAUSE_MS, () => this.refresh());
    this.search.addEventListener('input', debounce(SEARCH_PAUSE_MS, () => this.#filter()));
    this.search.addEventListener('keydown', (event) => this.#pressed(event));
    find('#search').addEventListener('submit', (event) => this.#submitted(event));
    this.scroll.addEventListener('click', (event) => this.#clicked(event));
    this.nearEnd = new IntersectionObserver(([{ isIntersecting, target }]) => isIntersecting && this.#more(target), {
      rootMargin: '300px',
    });
    this.#countElsewhere(document);
    this.#hydrate();
  }

  get list() {
    return find('#people');
  }

  get cards() {
    return findAll('li.person', this.list);
  }

  card(id) {
    return find(`li.person[data-user-id="${id}"]`, this.list);
  }

  unread(id) {
    return this.#unread.get(id) ?? 0;
  }

  /** Marks the conversation that is open; 0 for none. */
  setOpen(id) {
    this.openId = id;
    for (const link of findAll('a[aria-current]', this.list)) link.removeAttribute('aria-current');
    this.card(id)?.querySelector('a').setAttribute('aria-current', 'page');
    if (id && online.size) this.#showStatus(id);
  }

  /** The link `step` places below (above) the open conversation's. */
  neighbour(step) {
    const links = this.cards.map((card) => find('a', card));
    const current = links.findIndex((link) => link.ariaCurrent === 'page');
    return current < 0 ? links[0] : links[current + step];
  }

  /** Brings a conversation up to date with its newest message; `isSeen` when its reader has it in view. */
  message(message, isSeen) {
    const isMine = message.senderId === me.id;
    const peerId = isMine ? message.receiverId : message.senderId;
    const card = this.card(peerId) ?? (isMine || this.query ? null : this.#newCard(message));
    if (!isMine) this.#stopTyping(peerId);
    if (!isMine && !isSeen) markDelivered(peerId, message.seq);
    const isUnread = !isMine && !isSeen && message.seq > Math.max(lastSeqOf(card), this.#read(peerId));
    if (isUnread) this.#setUnread(peerId, this.unread(peerId) + 1);
    if (!card) return this.query || this.refreshSoon();
    const lastSeq = lastSeqOf(card);
    if (message.seq <= lastSeq) return;
    if (message.seq > lastSeq + 1) this.refreshSoon(); // something was missed
    card.dataset.lastSeq = message.seq;
    const text = shortened(message.message);
    setText(part(card, 'preview'), isMine ? gettext('You: %(message)s', { message: text }) : text);
    part(card, 'time').dateTime = message.timestamp;
    showAge(part(card, 'time'));
    this.#raise(card);
  }

  /** The conversation with `id` has been read up to `seq`, here or in another tab. */
  read(id, seq) {
    const isNews = seq > this.#read(id);
    if (isNews) this.#readSeq.set(id, seq);
    if (isNews && this.#loading) this.refreshSoon(); // the answer under way may be older than this
    if (!this.unread(id)) {
      if (isNews && this.#unreadElsewhere && !this.card(id)) this.refreshSoon();
      return;
    }
    if (seq >= lastSeqOf(this.card(id))) this.#setUnread(id, 0);
    else if (isNews) this.refreshSoon(); // the server counts
  }

  #read(id) {
    return this.#readSeq.get(id) ?? 0;
  }

  typing(id) {
    clearTimeout(this.#typing.get(id));
    this.#typing.set(id, setTimeout(() => this.#stopTyping(id), TYPING_MS));
    this.#showStatus(id);
  }

  presence(changedIds) {
    const others = online.size - (online.has(me.id) ? 1 : 0);
    setText(find('#online-count'), ngettext('%(num)s online', '%(num)s online', others));
    if (this.#isHeard) changedIds.forEach((id) => this.#showStatus(id));
    else this.#setHeard(true);
    const isEveryoneListed = !this.query && !find('#people-more');
    if (isEveryoneListed && changedIds.some((id) => id !== me.id && !this.card(id))) this.refreshSoon(); // somebody new
  }

  /** Without a connection nobody knows who is there: then nothing is said of it. */
  lose() {
    setText(find('#online-count'), '');
    this.#setHeard(false);
  }

  #setHeard(isHeard) {
    this.#isHeard = isHeard;
    new Set([...this.cards.map((card) => Number(card.dataset.userId)), this.openId]).forEach((id) => this.#showStatus(id));
  }

  /** Asks the server again for what stands at the top of the list, and keeps the rest. */
  async refresh() {
    if (this.#filtering) return this.refreshSoon(); // that answer is another list's
    const page = await this.#fetch(usersUrl({ q: this.query })).catch(() => null);
    if (!page) return;
    const focused = document.activeElement;
    this.#countElsewhere(page);
    const fresh = findAll('li.person', page).map((card) => this.#merge(card));
    const rest = this.cards.filter((card) => !fresh.includes(card));
    const more = rest.length ? find('#people-more') : find('#people-more', page);
    const empty = find('#people-empty', page);
    this.list.replaceChildren(...fresh, ...rest);
    this.scroll.replaceChildren(this.list, empty, ...(more ? [more] : []));
    if (this.list.contains(focused)) focused.focus({ preventScroll: true });
    this.#hydrate();
  }

  #merge(fresh) {
    const known = this.card(fresh.dataset.userId);
    if (!known) return fresh;
    if (lastSeqOf(fresh) < lastSeqOf(known)) { // it was overtaken by a message
      this.refreshSoon();
      return known;
    }
    known.dataset.lastSeq = fresh.dataset.lastSeq;
    setText(part(known, 'preview'), part(fresh, 'preview').textContent.trim());
    part(known, 'time').dateTime = part(fresh, 'time').dateTime;
    known.dataset.unread = fresh.dataset.unread;
    return known;
  }

  async #filter() {
    const query = this.search.value.trim();
    if (query === this.query) return;
    const filtering = this.#filtering = { shown: [...this.list.children], query: this.query, ...this.#filtering };
    this.query = query;
    const slow = setTimeout(() => this.list.replaceChildren(find('#people-skeleton').content.cloneNode(true)), SLOW_MS);
    try {
      this.#replace(await this.#fetch(usersUrl({ q: query })));
    } catch {
      if (this.#filtering !== filtering) return; // a newer search has begun
      this.#filterHere(filtering.shown);
    } finally {
      clearTimeout(slow);
      if (this.#filtering === filtering) this.#filtering = null;
    }
    this.#choose(null);
    if (query) this.#sayFound();
  }

  /** Where the server cannot be asked, the people on the page are searched. */
  #filterHere(shown) {
    this.#everyone ??= shown;
    const wanted = folded(this.query);
    this.list.replaceChildren(...this.#everyone.filter((card) => folded(part(card, 'name').textContent).includes(wanted)));
    const [words, hint] = findAll('#people-empty > p');
    find('#people-empty').hidden = this.cards.length > 0;
    setText(words, gettext('No results for “%(q)s” on this page.', { q: this.query }));
    setText(hint, gettext('No connection: only the people on this page can be searched.'));
  }

  #sayFound() {
    const { length } = this.cards;
    const more = find('#people-more') ? `${formatNumber(length)}+` : undefined;
    if (length) this.say(ngettext('%(num)s person found', '%(num)s people found', length, more));
    else this.say(gettext('No results.'));
  }

  // Choosing by the keyboard, from the search

  /** Marks a link as the one that Enter opens; null for none. */
  #choose(link) {
    this.#active?.removeAttribute('data-active');
    this.#active = link ?? null;
    if (!link) return this.search.removeAttribute('aria-activedescendant');
    link.id ||= `person-${link.parentElement.dataset.userId}`;
    link.setAttribute('data-active', '');
    link.scrollIntoView({ block: 'nearest' });
    this.search.setAttribute('aria-activedescendant', link.id);
  }

  #pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.isComposing || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const links = this.cards.map((card) => find('a', card));
    const next = links.indexOf(this.#active) + step;
    this.#choose(links[next === -2 ? links.length - 1 : next]); // past either end the field has it again
  }

  async #submitted(event) {
    event.preventDefault();
    await this.#filter();
    const chosen = this.#active?.isConnected ? this.#active : this.query && this.cards[0]?.querySelector('a');
    if (!chosen) return;
    this.#choose(null);
    chosen.click();
  }

  /** Empties the search. */
  clearSearch() {
    this.search.value = '';
    this.#filter();
  }

  #replace(page) {
    this.#countElsewhere(page);
    this.#everyone = null;
    this.scroll.replaceChildren(...page.body.children);
    this.scroll.scrollTop = 0;
    this.#hydrate();
  }

  #clicked(event) {
    const more = event.target.closest('#people-more');
    if (more) {
      event.preventDefault();
      this.#more(more);
    } else if (event.target.closest('#people-empty a')) {
      event.preventDefault();
      this.clearSearch();
      this.search.focus();
    }
  }

  async #more(link) {
    if (this.#loading) return;
    const { searchParams } = new URL(link.href);
    const after = searchParams.get('people_after') ?? searchParams.get('after');
    const page = await this.#fetch(usersUrl({ q: this.query, after })).catch(() => null);
    if (!page) return;
    this.#countElsewhere(page);
    this.list.append(...findAll('li.person', page).filter((card) => !this.card(card.dataset.userId)));
    link.remove();
    const next = find('#people-more', page);
    if (next) this.scroll.append(next);
    this.#hydrate();
  }

  /** One answer at a time: a newer question makes the older one's answer stale. */
  async #fetch(url) {
    this.#loading?.abort();
    const loading = this.#loading = new AbortController();
    try {
      return parseHtml(await (await request(url, 'text/html', loading.signal)).text());
    } finally {
      if (this.#loading === loading) this.#loading = null;
    }
  }

  /** Gives what the server sent the reader's clock, the present state and the open mark. */
  #hydrate() {
    for (const card of this.cards) {
      const id = Number(card.dataset.userId);
      const isRead = this.#read(id) && this.#read(id) >= lastSeqOf(card);
      showAge(part(card, 'time'));
      if (!isRead && card.dataset.unread > 0) markDelivered(id, lastSeqOf(card));
      this.#showUnread(card, isRead ? 0 : Number(card.dataset.unread));
      this.#unread.set(id, Number(card.dataset.unread));
      if (online.size) this.#showStatus(id);
    }
    const more = find('#people-more');
    this.nearEnd.disconnect();
    if (more) this.nearEnd.observe(more);
    find('#people-empty').hidden = this.cards.length > 0;
    this.setOpen(this.openId);
    this.#notifyUnread();
  }

  /** Says again when it was, on another day. */
  showAges() {
    for (const card of this.cards) showAge(part(card, 'time'));
  }

  #newCard(message) {
    const card = fromTemplate('user-card-template');
    Object.assign(card.dataset, { userId: message.senderId, lastSeq: message.seq - 1 });
    find('a', card).href = `/chat/${encodeURIComponent(message.sender)}`;
    setText(part(card, 'name'), message.sender);
    part(card, 'avatar').src = `/avatars/${message.senderId}.svg`;
    part(card, 'avatar').dataset.tint = message.senderId % 8;
    this.list.prepend(card);
    find('#people-empty').hidden = true;
    this.#showStatus(message.senderId);
    return card;
  }

  /** Moves a card to the top. The one with the focus stays, and the others go below it. */
  #raise(card) {
    if (card.contains(document.activeElement)) {
      const above = this.cards.slice(0, this.cards.indexOf(card));
      card.after(...above);
    } else if (card !== this.list.firstElementChild) {
      this.list.prepend(card);
    }
  }

  #setUnread(id, count) {
    const card = this.card(id);
    this.#unread.set(id, count);
    if (card) this.#showUnread(card, count);
    this.#notifyUnread();
  }

  #showUnread(card, count) {
    card.dataset.unread = count;
    part(card, 'unread').hidden = count === 0;
    setText(part(card, 'unread-count'), badge(count));
    setText(part(card, 'unread-text'), unreadWords(count));
  }

  /** The server counts for all people where it does not show them all. */
  #countElsewhere(page) {
    const list = find('#people', page);
    const told = findAll('li.person', list).map(({ dataset }) => [Number(dataset.userId), Number(dataset.unread)]);
    this.#unreadElsewhere = Math.max(0, Number(list.dataset.unreadTotal ?? 0) - sum(new Map([...this.#unread, ...told]).values()));
  }

  #notifyUnread() {
    this.onUnread(this.#unreadElsewhere + sum(this.#unread.values()));
  }

  #stopTyping(id) {
    clearTimeout(this.#typing.get(id));
    if (this.#typing.delete(id)) this.#showStatus(id);
  }

  #showStatus(id) {
    const isTyping = this.#typing.has(id) && this.#isHeard;
    const isOnline = this.#isHeard ? online.has(id) : 'unknown';
    const words = !this.#isHeard ? '' : isTyping ? gettext('is typing…') : isOnline ? gettext('online') : gettext('offline');
    const header = find(`#conversation[data-peer-id="${id}"]`);
    for (const [place, status] of [[this.card(id), 'status'], [header, 'peer-status']]) {
      if (!place) continue;
      place.dataset.online = isOnline;
      place.toggleAttribute('data-typing', isTyping);
      setText(part(place, status), words);
    }
  }
}
