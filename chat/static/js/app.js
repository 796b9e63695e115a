/** The entry: brings the parts together, and leads from one page of the chat to the next. */

import { Dispatcher } from './dispatcher.js';
import { expectLogout, request } from './http.js';
import { badge, gettext, ngettext } from './i18n.js';
import { find, findAll, isComposing, isWatched, me, onTouch, parseHtml, setText } from './page.js';
import { People } from './people.js';
import { closeSocket, emitTyping, initializeSocket, markRead, reconnectIfNeeded, sendMessage } from './socket.js';

const HEARTBEAT_MS = 15_000;
const SLOW_MS = 250;
const RECONNECTING_MS = 1_000; // a shorter cut is nobody's business
const BACK_MS = 3_000;
const LOGOUT_FAILED_MS = 10_000;
const GATHER_MS = 1_000;
const ANNOUNCED_ONE_BY_ONE = 3;
const SETTLED_MS = 2_000; // the page has been shown by then
const NOTICE_MS = 6_000;
const YEAR_S = 365 * 24 * 60 * 60;

const root = document.documentElement;
const shell = find('#shell');

// The theme: the system's until one is chosen

const toggle = find('#theme-toggle');
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

function followSystem() {
  if (!root.dataset.theme) root.classList.toggle('dark', systemIsDark.matches);
  toggle.ariaPressed = root.classList.contains('dark');
}

function toggleTheme() {
  const theme = root.classList.toggle('dark') ? 'dark' : 'light';
  toggle.ariaPressed = theme === 'dark';
  root.dataset.theme = theme;
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR_S}; samesite=lax`;
  showTheme();
}

/** The bars of the browser around the page take its colour. */
function showTheme() {
  const { backgroundColor } = getComputedStyle(document.body);
  for (const meta of findAll('meta[name="theme-color"]')) meta.content = backgroundColor;
}

followSystem();
systemIsDark.addEventListener('change', followSystem);
toggle.addEventListener('click', toggleTheme);

// The menu under one's own name

const menu = find('#own-menu');

document.addEventListener('click', ({ target }) => {
  if (!menu.contains(target)) menu.open = false;
});
menu.addEventListener('focusout', ({ relatedTarget }) => {
  if (relatedTarget && !menu.contains(relatedTarget)) menu.open = false;
});
find('form', menu).addEventListener('submit', ({ target }) => {
  target.elements.next.value = pathOf(location); // which has changed since the menu came
});

function closeMenu() {
  menu.open = false;
  find('summary', menu).focus();
}

// The title: how many messages wait

let title = document.title;
let unreadTotal = 0;

function showTitle() {
  document.title = unreadTotal ? `(${badge(unreadTotal)}) ${title}` : title;
}

// The banner: how the connection stands

const banner = find('#connection');
const storageWarnings = new Set(); // what this browser does not keep, in words
let bannerTimer;
let shownStatus = '';
let isConnectionLost = false;

let lastState = ['', '']; // what the banner says when nothing more urgent is to be said
let noticeTimer;

function showBanner(...stateAndText) {
  lastState = stateAndText;
  clearTimeout(noticeTimer);
  paintBanner(...lastState);
}

function paintBanner(state, text) {
  banner.dataset.state = state;
  setText(banner, text);
}

/** Says for a moment what could not be done. */
function showNotice(text) {
  paintBanner('warning', text);
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => paintBanner(...lastState), NOTICE_MS);
}

/** Whether anything is missing is not known either, until the server is heard again. */
function showLoss(state, text) {
  isConnectionLost = true;
  open?.messageList.setChecked(false);
  people.lose();
  showBanner(state, text);
}

const showWarning = () => showBanner('warning', [...storageWarnings].join(' '));

/** Says it once, and quietly: where the connection has more to say, after that. */
function warnOfStorage(words) {
  storageWarnings.add(words);
  if (!banner.textContent || banner.dataset.state === 'warning') showWarning();
}

function showConnection(status, words) {
  if (status === shownStatus && (!words || words === lastState[1])) return;
  shownStatus = status;
  clearTimeout(bannerTimer);
  isConnectionLost &&= status !== 'online';
  if (status === 'offline') {
    showLoss('offline', gettext('You are offline. What you write will be sent when the network is back.'));
  } else if (status === 'refused') {
    showLoss('offline', words);
  } else if (status === 'reconnecting') {
    const show = () => showLoss('reconnecting', gettext('Reconnecting…'));
    bannerTimer = setTimeout(show, RECONNECTING_MS);
  } else if (banner.textContent && banner.dataset.state !== 'warning') {
    showBanner('back', gettext('You are back online.'));
    bannerTimer = setTimeout(showWarning, BACK_MS);
  } else {
    showWarning();
  }
}

// The announcer: what comes in, for those who do not see it

const announcer = find('#announcer');
const announced = [];

function announce(message) {
  announced.push(message);
  if (announced.length === 1) setTimeout(sayAnnounced, GATHER_MS);
}

function sayAnnounced() {
  const lines = announced.length > ANNOUNCED_ONE_BY_ONE
    ? [ngettext('%(num)s new message', '%(num)s new messages', announced.length)]
    : announced.map(({ sender, message }) => `${sender}: ${message}`);
  announced.length = 0;
  say(...lines);
}

function say(...lines) {
  announcer.replaceChildren(...lines.map((line) => Object.assign(document.createElement('p'), { textContent: line })));
}

// The open conversation

/** `{peerId, section, messageList, composer, marked, leave}`, or null on the home page. */
let open = null;

const people = new People((total) => {
  unreadTotal = total;
  showTitle();
}, say);

const dispatcher = new Dispatcher(me.id, sendMessage, {
  sent(message) {
    if (open?.peerId === message.receiverId) open.messageList.acknowledged(message);
    people.message(message, true);
  },
  changed: () => open?.messageList.showOutbox(),
  storageFailed() {
    warnOfStorage(gettext('This browser keeps no unsent messages: they are lost when you close the page.'));
  },
  closed() {
    closeSocket();
    leaveForGood('/login');
  },
});

/** What a conversation is made of comes with the first one: the home page does without. */
const conversationParts = () => Promise.all([import('./message-list.js'), import('./composer.js')]);

/** What only a hand asks for comes with its first move: then it is there even where the network is not. */
const detailsParts = () => Promise.all([import('./details.js'), import('./roving-tabindex.js')]);
const logoutPart = () => import('./logout.js');
const moved = new Promise((resolve) => {
  for (const move of ['pointerdown', 'keydown']) addEventListener(move, resolve, { once: true, capture: true });
});
moved.then(logoutPart).catch(() => {});

async function enter(place) {
  const section = find('#conversation');
  const peerId = Number(section?.dataset.peerId ?? 0);
  people.setOpen(peerId);
  const messagePage = find('#message-page');
  if (messagePage) detailsParts().then(([{ hydratePage }]) => hydratePage(messagePage), () => {});
  if (!section) return;
  const [{ MessageList }, { Composer }] = await conversationParts();
  if (!section.isConnected) return; // left meanwhile
  const leaving = new AbortController();
  const { signal } = leaving;
  const messageList = new MessageList(section, { outbox: () => dispatcher.to(peerId), onEnd: markNew, onFailed: say, signal });
  const composer = new Composer(section, { send, onTyping: () => emitTyping(peerId), onOver: say, onStorageFailed, signal });
  open = { peerId, section, messageList, composer, marked: messageList.readSeq, leave: () => leaving.abort() };
  messageList.list.addEventListener('click', settleFailed, { signal });
  messageList.list.addEventListener('click', showDetails, { signal });
  moved.then(detailsParts).then(([, { addRovingTabindex }]) => addRovingTabindex(messageList.list, signal), () => {});
  if (isConnectionLost) messageList.setChecked(false);
  messageList.open(place, people.unread(peerId));
  mark();
}

const onStorageFailed = () => warnOfStorage(gettext('This browser cannot save drafts: they are lost when you close the page.'));

async function send(text) {
  const { peerId, messageList } = open;
  const stored = dispatcher.add(peerId, text);
  messageList.removeDivider();
  messageList.toEnd();
  await stored;
}

function settleFailed(event) {
  const button = event.target.closest('[data-action]');
  if (!button) return;
  const { clientId } = button.closest('li').dataset;
  const { action } = button.dataset;
  if (action === 'retry') dispatcher.retry(clientId);
  if (action === 'edit') writeAgain(dispatcher.to(open.peerId).find((entry) => entry.clientId === clientId)?.message);
  if (action !== 'retry') dispatcher.remove(clientId);
  focusPage();
}

/** Gives a refused text back to the field, below what stands there. */
function writeAgain(text) {
  const { field } = open.composer;
  field.value = [field.value, text].filter(Boolean).join('\n');
  field.dispatchEvent(new Event('input'));
}

async function showDetails(event) {
  const time = event.target.closest('[data-part="details"]');
  if (!time || !isPlain(event)) return;
  event.preventDefault();
  const { messageList } = open;
  const parts = await detailsParts().catch(() => null);
  if (parts) parts[0].openDetails(time.closest('li'), messageList);
  else say(gettext('The details could not be loaded.'));
}

const isReading = () => isWatched() && open.section.isConnected && open.messageList.isAtEnd;

function markNew() {
  if (open && !open.isMarking && isReading() && open.messageList.newestOfPeer > open.marked) mark();
}

/** Says how far this reader is, and hears where the conversation stands: the heartbeat too. */
async function mark() {
  if (!open) return;
  const { peerId, messageList } = open;
  if (isReading()) open.marked = Math.max(open.marked, messageList.newestOfPeer);
  open.isMarking = true;
  const ack = await markRead(peerId, open.marked);
  if (ack?.ok) hasRead(peerId, ack.readSeq); // of a conversation that has been left, too
  if (open?.messageList !== messageList) return;
  open.isMarking = false;
  if (!ack?.ok) {
    open.marked = messageList.readSeq;
    return;
  }
  messageList.setPeerRead(ack.peerReadSeq);
  messageList.receive([], ack.lastSeq);
  messageList.setChecked(true);
  markNew(); // what came meanwhile
}

function hasRead(peerId, seq) {
  if (open?.peerId === peerId) open.messageList.readSeq = Math.max(open.messageList.readSeq, seq);
  people.read(peerId, seq);
}

// From page to page

const pathOf = (url) => url.pathname + url.search;
const scrollPositions = new Map(); // path → where its reader left
let shownPath = pathOf(location);
let visiting = null; // {turn, nodes, place}: what aborts the visit, and what to put back if it fails

const isHome = (url) => pathOf(url) === '/';

/** The page without a conversation: all of it is here, network or not. */
function homePage() {
  const page = parseHtml('<div id="shell" data-pane="list"><main id="main"></main></div>');
  const template = find('#welcome-template');
  find('#main', page).append(template.content.cloneNode(true));
  page.title = template.dataset.title;
  return page;
}

/** Shows another page of the chat in place of `#main`; what cannot be shown so is left to the browser. */
async function visit(url, { isPush = true } = {}) {
  visiting?.turn.abort();
  if (isHome(url)) {
    scrollPositions.set(shownPath, visiting ? visiting.place : open?.messageList.place());
    visiting = null;
    return replacePage(homePage(), url, isPush);
  }
  const main = find('#main');
  const here = visiting = {
    nodes: [...main.childNodes], place: open?.messageList.place(), ...visiting, turn: new AbortController(),
  };
  const slow = setTimeout(() => main.replaceChildren(find('#history-skeleton').content.cloneNode(true)), SLOW_MS);
  try {
    const response = await request(url, 'text/html', here.turn.signal);
    const page = parseHtml(await response.text());
    scrollPositions.set(shownPath, here.place);
    await conversationParts(); // before the page is touched: they may not come either
    here.turn.signal.throwIfAborted();
    await replacePage(page, new URL(response.url), isPush);
  } catch (error) {
    if (visiting !== here) return; // another visit has begun
    if (error.status) return void location.assign(url);
    main.replaceChildren(...here.nodes);
    if (!isPush && pathOf(location) !== shownPath) history.pushState(null, '', shownPath);
    open?.messageList.open(here.place, 0);
    if (!here.turn.signal.aborted) showNotice(gettext('This page cannot be loaded without a connection. Try again when it is back.'));
  } finally {
    clearTimeout(slow);
    if (visiting === here) visiting = null;
  }
}

async function replacePage(page, url, isPush) {
  const leftId = open?.peerId;
  open?.leave();
  open = null;
  shownPath = pathOf(url);
  if (isPush) history.pushState(null, '', url);
  find('#main').replaceWith(find('#main', page));
  shell.dataset.pane = find('#shell', page).dataset.pane;
  title = page.title;
  showTitle();
  await enter(isPush ? null : scrollPositions.get(shownPath));
  focusPage(leftId);
}

function focusPage(leftId) {
  if (!open) people.card(leftId)?.querySelector('a').focus({ preventScroll: true });
  else if (onTouch()) find('h1', open.section).focus({ preventScroll: true });
  else open.composer.focus();
}

/** Whether a click asks for nothing special, as a tab of its own. */
const isPlain = (event) => event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);

function clicked(event) {
  const link = event.target.closest('a[href]');
  if (!link || link.target || link.getAttribute('href').startsWith('#') || !isPlain(event) || event.defaultPrevented) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || !(url.pathname === '/' || url.pathname.startsWith('/chat/'))) return;
  event.preventDefault();
  if (pathOf(url) !== shownPath || visiting) visit(url);
}

document.addEventListener('click', clicked);
addEventListener('popstate', () => {
  if (pathOf(location) !== shownPath) visit(new URL(location), { isPush: false });
  else visiting?.turn.abort();
});

// The keyboard

const isHidden = (element) => element.getClientRects().length === 0;

async function goToSearch() {
  if (isHidden(people.search)) await visit(new URL('/', location));
  people.search.focus();
  people.search.select();
}

function goBack(event) {
  if (menu.open) {
    closeMenu();
  } else if (event.target === people.search) {
    people.clearSearch();
    open?.composer.focus();
  } else if (open) {
    const link = people.card(open.peerId)?.querySelector('a');
    if (!link || isHidden(link)) visit(new URL('/', location));
    else link.focus();
  }
}

/** Whether the key is K; where the layout has no Latin letters, the one that stands there. */
const isK = ({ key, code }) => (/\p{Script=Latin}/u.test(key) ? key.toLowerCase() === 'k' : code === 'KeyK');

function pressed(event) {
  if (isComposing(event) || event.defaultPrevented) return;
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if ((event.ctrlKey || event.metaKey) && !event.altKey && isK(event)) goToSearch();
  else if (event.key === 'Escape') goBack(event);
  else if (event.altKey && step) people.neighbour(step)?.click();
  else return;
  event.preventDefault();
}

document.addEventListener('keydown', pressed);

// The socket

let wasConnected = false;
let allModulesLoaded = true; // whether all parts of the page came

function statusChanged(status, words) {
  showConnection(status, words);
  dispatcher.setConnected(status === 'online');
  if (status !== 'online') return;
  if (!allModulesLoaded) return void location.reload();
  mark();
  // What came without a connection was not pushed. The first time that is next to nothing, and can wait.
  setTimeout(() => people.refresh(), wasConnected ? 0 : SETTLED_MS);
  wasConnected = true;
}

function messageCame(message) {
  const isMine = message.senderId === me.id;
  const peerId = isMine ? message.receiverId : message.senderId;
  const isOpen = open?.peerId === peerId;
  if (isOpen) open.messageList.receive([message]);
  people.message(message, isOpen && (isReading() || message.seq <= open.messageList.readSeq));
  if (!isMine) announce(message);
}

function messagesWereRead({ userId, readerId, seq }) {
  if (readerId === me.id) hasRead(userId, seq);
  else if (open?.peerId === readerId) open.messageList.setPeerRead(seq);
}

let shownDay = new Date().toDateString();

/** After midnight "01:35" is "Yesterday". It is looked at often: a machine may have slept until then. */
function followDay() {
  const day = new Date().toDateString();
  if (day === shownDay) return;
  shownDay = day;
  people.showAges();
  open?.messageList.showDays();
}

function cameBack() {
  if (document.visibilityState !== 'visible') return;
  followDay();
  reconnectIfNeeded();
  dispatcher.becomeLeader();
  mark();
}

let isLeaving = false;

async function loggingOut(event) {
  event.preventDefault();
  if (isLeaving) return;
  isLeaving = true;
  expectLogout();
  try {
    const { logOut } = await logoutPart();
    const url = await logOut(event.target, dispatcher, closeSocket);
    if (url) return leaveForGood(url);
  } catch {
    showLogoutFailed();
  }
  isLeaving = false;
  expectLogout(false);
  reconnectIfNeeded(); // it may have ended all the same
}

function showLogoutFailed() {
  clearTimeout(bannerTimer);
  showBanner('warning', gettext('You are still logged in: the server did not answer. Please try again.'));
  bannerTimer = setTimeout(showWarning, LOGOUT_FAILED_MS);
}

/** Nothing of the person stays on the page either, while the next one comes. */
function leaveForGood(url) {
  expectLogout();
  open?.leave();
  open = null;
  find('#main').replaceChildren();
  location.assign(url);
}

find('form[action="/logout"]').addEventListener('submit', loggingOut);
document.addEventListener('visibilitychange', cameBack);
addEventListener('focus', markNew);
addEventListener('pageshow', (event) => event.persisted && location.reload());
setInterval(mark, HEARTBEAT_MS);
setInterval(followDay, HEARTBEAT_MS);

/** Without an `await` outside: in the bundle, what is loaded later imports from this file, and would wait for its end. */
async function start() {
  dispatcher.open();
  await enter(null).catch(() => {
    allModulesLoaded = false; // a page that stays dead would look as if nobody wrote
  });
  if (open) focusPage();
  initializeSocket({
    status: statusChanged,
    message: messageCame,
    online: (changedIds) => people.presence(changedIds),
    read: messagesWereRead,
    typing: (userId) => people.typing(userId),
  });
}

start();
