/** The entry: makes the parts of the page, connects them, and starts. What a part does stands in its own module. */

import { keyOfMessage, roomKey } from './address.js';
import { say } from './announcer.js';
import { showConnection, showNotice, warnOfStorage } from './banner.js';
import { Dispatcher } from './dispatcher.js';
import { expectLogout } from './http.js';
import { gettext } from './i18n.js';
import { initKeyboard } from './keyboard.js';
import { due } from './later.js';
import { loadLaterStyles } from './later-styles.js';
import { loadPageMore } from './load-page-more.js';
import { Lists } from './lists.js';
import { Navigation } from './navigation.js';
import './own-menu.js';
import { find, me } from './page.js';
import { closeSocket, initializeSocket, reconnectIfNeeded, sendEntry } from './socket.js';
import { initTheme } from './theme.js';
import { setUnreadTotal } from './title.js';
import { newest, onVersion, remember } from './versions.js';

const HEARTBEAT_MS = 15_000;
const FIRST_REFRESH_MS = 2_000; // by then the page has been shown
const LOGOUT_FAILED_MS = 10_000;

// The parts

initTheme();

let cardNotes = null; // once it is loaded
let notifier = null; // a promise of the Notifier, once there is something to notify of

/** Where a conversation has been read up to `seq`, there is nothing more to notify of. */
const withdraw = (key, seq) => notifier?.then((loaded) => loaded?.read(key, seq));

const lists = new Lists(setUnreadTotal, say, withdraw);

const outbox = new Dispatcher(me.id, sendEntry, {
  sent(message) {
    navigation.conversationWith(keyOfMessage(message, me.id))?.messageList.acknowledged(message);
    lists.message(message, true);
  },
  changeSent: messageChanged,
  async changeRefused(entry, { error, message }) {
    if (message) messageChanged({ message });
    const words = await import('./message-changes.js').then(({ wordsOfRefusal }) => wordsOfRefusal(entry, { error, message }), () => error.message);
    if (words) showNotice(words);
  },
  changed() {
    navigation.conversation?.showOutbox();
    cardNotes?.showSoon();
  },
  uploading: (clientId, loaded) => navigation.conversation?.showUploading(clientId, loaded),
  storageFailed(entry) {
    warnOfStorage(entry?.files ? gettext('These files do not fit into this browser’s storage: keep this page open until they are sent.')
      : gettext('This browser cannot save unsent messages: they are lost when you close the page.'));
  },
  closed() {
    closeSocket();
    leaveForGood('/login');
  },
});

const navigation = new Navigation(lists, outbox, roomLeft);

initKeyboard(lists, navigation);

due.then(loadLaterStyles); // any page may be printed
due.then(loadPageMore).then(({ CardNotes }) => {
  cardNotes = new CardNotes(lists, outbox, () => navigation.conversation?.key);
}, () => {});

// What the socket says

let wasConnected = false;
let allModulesLoaded = true;

function statusChanged(status, refusal) {
  showConnection(status, refusal, connectionLost);
  outbox.setConnected(status === 'online');
  if (status !== 'online') return;
  if (!allModulesLoaded) return void location.reload();
  navigation.conversation?.mark();
  // Without a connection nothing was pushed. The first time there was none for next to no time, so the list can wait.
  setTimeout(() => lists.refresh(true), wasConnected ? 0 : FIRST_REFRESH_MS);
  notifier?.then((loaded) => loaded?.reconnected());
  if (wasConnected) loadPageMore().then(({ refreshPage }) => refreshPage(navigation.conversation), () => {});
  // Other tabs will ask what is on the screen of this one.
  if (notifyPermission() === 'granted') setTimeout(loadNotifier, FIRST_REFRESH_MS);
  wasConnected = true;
}

/** Nobody knows what is missing, or who is online, until the server is heard again. */
function connectionLost() {
  navigation.conversation?.messageList.setChecked(false);
  lists.people.connectionLost();
}

onVersion((message) => {
  const key = keyOfMessage(message, me.id);
  lists.changed(message);
  const conversation = navigation.conversationWith(key);
  conversation?.composer.task?.messageChanged(message);
  notifier?.then((loaded) => loaded?.messageChanged(message));
  loadPageMore().then(({ retract, showOnPage }) => {
    retract(message);
    showOnPage(message, Boolean(conversation));
  }, () => {});
  if (message.deleted) outbox.messageDeleted(key, message.seq);
});

/** A message is different now. Where its conversation is not open, what shows it hears of it all the same. */
function messageChanged(change) {
  const conversation = navigation.conversationWith(keyOfMessage(change.message, me.id));
  if (conversation) conversation.messageList.changed(change);
  else remember(change.message);
}

function messageCame(version) {
  const message = newest(version);
  const conversation = navigation.conversationWith(keyOfMessage(message, me.id));
  conversation?.messageList.receive([message]);
  const isSeen = conversation && (conversation.isReading || message.seq <= conversation.messageList.readSeq);
  lists.message(message, isSeen);
  if (message.senderId === me.id) outbox.stored(message);
  if (message.senderId === me.id || message.deleted) return;
  loadPageMore().then(({ announce }) => announce(message, lists), () => {});
  if (notifyPermission() !== 'denied') loadNotifier().then((loaded) => loaded?.messageCame(message));
}

function messagesWereRead({ conversationId, userId, readerId, seq }) {
  const isMine = readerId === me.id;
  const key = conversationId ? roomKey(conversationId) : isMine ? userId : readerId;
  const conversation = navigation.conversationWith(key);
  if (!isMine) conversation?.otherHasRead(readerId, seq);
  else if (conversation) conversation.setRead(seq);
  else lists.read(key, seq);
}

function markedUnread({ conversationId, userId, seq }) {
  const key = conversationId ? roomKey(conversationId) : userId;
  if (seq) lists.markedUnread(key);
  else lists.markedRead(key);
}

function roomChanged(room) {
  lists.rooms.changed(room);
  navigation.conversationWith(roomKey(room.id))?.roomChanged(room);
}

function roomLeft(key) {
  lists.rooms.left(key);
  withdraw(key, Infinity);
  if (!navigation.conversationWith(key)) return;
  navigation.goHome();
  showNotice(gettext('You are not a member of this room any more.'));
}

// Notifications

const notifyPermission = () => globalThis.Notification?.permission ?? 'denied';

function loadNotifier() {
  const make = ({ Notifier }) => new Notifier(lists, navigation, outbox.leader);
  notifier ??= import('./notifier.js').then(make).catch(() => { notifier = null; });
  return notifier;
}

// What the clock and the person do

let shownDay = new Date().toDateString();

/** After midnight "01:35" is "Yesterday". This is asked often, since a machine may have slept at midnight. */
function followDay() {
  const day = new Date().toDateString();
  if (day === shownDay) return;
  shownDay = day;
  lists.showAges();
  navigation.conversation?.messageList.arrange();
}

function cameBack() {
  if (document.visibilityState !== 'visible') return;
  followDay();
  reconnectIfNeeded();
  outbox.becomeLeader();
  navigation.conversation?.mark();
}

setInterval(() => navigation.conversation?.mark(), HEARTBEAT_MS);
setInterval(followDay, HEARTBEAT_MS);
document.addEventListener('visibilitychange', cameBack);
addEventListener('focus', () => navigation.conversation?.markNew());
addEventListener('pageshow', (event) => event.persisted && location.reload());

// Logging out

let isLeaving = false;

async function loggingOut(event) {
  event.preventDefault();
  if (isLeaving) return;
  isLeaving = true;
  expectLogout();
  try {
    const { logOut } = await loadPageMore();
    const url = await logOut(event.target, outbox, closeSocket);
    if (url) return leaveForGood(url);
  } catch {
    showNotice(gettext('You are still logged in: the server did not answer. Please try again.'), LOGOUT_FAILED_MS);
  }
  isLeaving = false;
  expectLogout(false);
  reconnectIfNeeded(); // the session may have ended all the same
}

/** Nothing of the person stays on the page, even while the next one is loaded. */
function leaveForGood(url) {
  expectLogout();
  navigation.leave();
  find('#main').replaceChildren();
  location.assign(url);
}

find('form[action="/logout"]').addEventListener('submit', loggingOut);

// The start

/** A function, for this file must not wait: in the bundle, what is loaded later imports from it and waits for its end. */
async function start() {
  outbox.open();
  await navigation.enter().catch(() => {
    allModulesLoaded = false; // a page that stays dead would look as if nobody wrote
  });
  navigation.conversation?.focus();
  initializeSocket({
    status: statusChanged,
    message: messageCame,
    messageChanged,
    markedUnread,
    online: (changedIds) => lists.people.presence(changedIds),
    read: messagesWereRead,
    typing: (payload) => lists.typing(payload),
    changed: roomChanged,
    left: roomLeft,
  });
}

start();
