/**
 * The connection to the server: the report's Socket, with its four methods.
 *
 * It begins with polling and is upgraded to a WebSocket. So it works at once behind a proxy that blocks WebSockets. There
 * the tabs of a person share one connection (shared-connection.js); with WebSockets each tab has its own.
 */

import { Manager } from 'socket.io-client';
import { addressOf, keyOf, roomKey } from './address.js';
import { Deliveries } from './deliveries.js';
import { goToLogin } from './http.js';
import { loadPageMore } from './load-page-more.js';
import { me } from './page.js';

const ACK_TIMEOUT_MS = 4_000;
const REFUSED_PAUSE_MS = 2_000;
const MAX_UNANSWERED = 2; // events without an acknowledgement until the connection counts as dead
const UPGRADE_TIMEOUT_MS = 10_000; // without a WebSocket by then, they count as blocked
const LOCK_NAME = `connection:${me.id}`; // of the leader's lock and of the channel: change it when the format of the channel's messages changes

/** The ids of everyone who is online. */
export const online = new Set();

let socket;
let on;
let status; // the one that `on.status` was told last; without a connection of its own, a tab has the leader's
let refusal;
let shared = null; // the SharedConnection, where WebSockets are blocked
let unanswered = 0;
const deliveries = new Deliveries({
  emit: (key, seq) => emit('markDelivered', { ...addressOf(key, 'userId'), seq }),
  isOnline: () => status === 'online',
});

/**
 * Connects, and stays connected until the session ends. `handlers` holds the callbacks `status(name, refusal)`,
 * `message(M)`, `messageChanged(payload)`, `online(changedIds)`, `read(payload)`, `markedUnread(payload)`, `typing(payload)`,
 * `changed(R)` and `left(key)`. A status is 'online', 'offline',
 * 'reconnecting' or 'refused', which comes with the words of the refusal.
 */
export async function initializeSocket(handlers) {
  on = handlers;
  // If somebody else has logged in meanwhile, in another tab, the server refuses this page.
  const auth = { userId: me.id, rooms: true };
  const hostname = location.hostname.replace(/[[\]]/g, ''); // an IPv6 address gets brackets by itself
  const place = { hostname, port: location.port, transports: ['polling', 'websocket'] };
  const manager = new Manager({ ...place, reconnectionDelay: 300, reconnectionDelayMax: 2_000, autoConnect: false });
  socket = manager.socket('/', { auth });
  socket.on('connect', () => {
    unanswered = 0;
    setStatus('online');
  });
  socket.on('disconnect', (reason) => {
    if (shared?.isFollowing) return;
    setStatus(navigator.onLine ? 'reconnecting' : 'offline');
    if (reason === 'io server disconnect') connect();
  });
  socket.on('connect_error', connectFailed);
  socket.onAny((event, payload) => {
    shared?.relay(event, payload);
    receive(event, payload);
  });
  socket.io.on('open', awaitUpgrade);
  addEventListener('offline', () => {
    if (shared?.isFollowing) return;
    setStatus('offline');
    socket.io.engine?.close(); // else the loss would be noticed by a missing ping, up to 20 s later
  });
  addEventListener('online', reconnect);
  const locks = await navigator.locks?.query().catch(() => null); // a browser may refuse them
  if (locks?.held.some(({ name }) => name === LOCK_NAME)) share();
  else connect();
}

function setStatus(newStatus, words) {
  status = newStatus;
  refusal = words;
  shared?.tellStatus();
  if (status === 'unauthorized') return goToLogin();
  on.status(status, refusal);
  if (status === 'online') deliveries.resume();
}

function receive(event, payload) {
  if (event === 'receiveMessage') receiveMessage(payload);
  if (event === 'messageChanged') on.messageChanged(payload);
  if (event === 'updateOnlineUsers') updateOnlineUsers(payload);
  if (event === 'messagesRead') on.read(payload);
  if (event === 'markedUnread') on.markedUnread(payload);
  if (event === 'typing') on.typing(payload);
  if (event === 'conversationChanged') on.changed(payload.conversation);
  if (event === 'conversationLeft') on.left(roomKey(payload.conversationId));
}

/** Connects, unless that is under way, or another tab does it for this one. */
function connect() {
  if (!shared?.isFollowing && !socket.active) socket.connect();
}

/** After a network failure Socket.IO connects again by itself; after a refusal by the server it does not. */
async function connectFailed(error) {
  if (error.data?.code === 'unauthorized') return setStatus('unauthorized');
  const words = await refusalWords(error);
  if (socket.connected) return; // meanwhile
  setStatus(words ? 'refused' : navigator.onLine ? 'reconnecting' : 'offline', words);
  const retryAfterMs = (error.data?.retryAfter ?? 0) * 1000;
  if (!socket.active) setTimeout(connect, Math.max(REFUSED_PAUSE_MS, retryAfterMs));
}

/** Follows what becomes of a connection that has just been opened, by polling: a WebSocket, or one that is shared. */
function awaitUpgrade() {
  const { engine } = socket.io;
  const shareIfPolling = () => engine.readyState === 'open' && engine.transport.name === 'polling' && share();
  engine.once('upgrade', unshare);
  engine.once('upgradeError', shareIfPolling);
  setTimeout(shareIfPolling, UPGRADE_TIMEOUT_MS);
}

/** Shares a connection with the other tabs. A browser without locks goes on without. */
async function share() {
  const module = navigator.locks && !shared && (await import('./shared-connection.js').catch(() => null));
  if (module && !shared) shared = new module.SharedConnection(me.id, LOCK_NAME, own);
  else connect();
}

function leaveShared() {
  shared?.leave();
  shared = null;
}

/** Gives this tab a connection of its own again. */
function unshare() {
  if (!shared) return;
  leaveShared();
  own.connect();
}

/** What a SharedConnection needs of this tab's own connection. */
const own = {
  online, emit: emitOwn, emitVolatile, markDelivered, setStatus, receive, unshare,
  get status() { return status; },
  get refusal() { return refusal; },
  connect() {
    if (!socket.connected) setStatus('reconnecting');
    connect();
  },
  disconnect() {
    socket.io.engine?.transport.pollXhr?.abort(); // the browser may have no connection left, to tell the server by
    socket.disconnect();
  },
};

/** Why the server has refused the connection; null if it was not the server. */
async function refusalWords({ data, description: status }) {
  if (data?.message) return data.message;
  return status >= 400 && status < 500 ? loadPageMore().then((more) => more.refusalWords(status), () => null) : null;
}

/** Sends an entry of the outbox once, a message or a change. Resolves to the acknowledgement, or to null if none came. */
export async function sendEntry(entry, fileIds) {
  const ack = await (entry.kind === 'change' ? changeMessage(entry) : sendMessage(entry, fileIds));
  if (ack?.error?.code === 'unauthorized') goToLogin();
  return ack;
}

export function sendMessage({ clientId, message, replyTo, ...entry }, files) {
  const fields = { clientId, message, ...addressOf(keyOf(entry), 'receiverId'), ...(replyTo?.seq && { replyTo: replyTo.seq }), ...(files && { files }) };
  return emit('sendMessage', fields);
}

function changeMessage({ clientId, target: { conversationId, seq }, verb }) {
  return emit('changeMessage', { clientId, conversationId, seq, ...verb });
}

/** Takes a message of somebody else, or of this person's other tabs. It may be late, or come twice. */
export function receiveMessage(message) {
  on.message(message);
}

/** Takes who is online: after connecting everyone, later who came and who went. */
export function updateOnlineUsers({ snapshot, online: came = [], offline: gone = [] }) {
  const before = new Set(online);
  if (snapshot) online.clear();
  came.forEach((id) => online.add(id));
  gone.forEach((id) => online.delete(id));
  on.online([...new Set([...before, ...online])].filter((id) => before.has(id) !== online.has(id)));
}

/** Tells how far a conversation has been read. Resolves to the acknowledgement, `{ok, readSeq, peerReadSeq, lastSeq, lastChange}`, or null. */
export function markRead(key, seq) {
  deliveries.confirm(key, seq); // what is read has been delivered
  return emit('markRead', { ...addressOf(key, 'userId'), seq });
}

/** Marks a conversation as unread from `seq` on. Resolves to the acknowledgement, or to null. */
export function markUnread(key, seq) {
  return emit('markUnread', { ...addressOf(key, 'userId'), seq });
}

/** Tells that the messages of a conversation have come, up to `seq`. */
export function markDelivered(key, seq) {
  deliveries.mark(key, seq);
}

export function emitTyping(key) {
  if (status === 'online') (shared ?? own).emitVolatile('typing', addressOf(key, 'userId'));
}

function emitVolatile(event, payload) {
  socket.volatile.emit(event, payload);
}

/** Ends the connection for good: the page is being left. Resolves when it is closed; an upgrade under way is finished first. */
export function closeSocket() {
  if (!shared?.isLeading) leaveShared(); // who leads does so until the page ends: no other tab is to connect meanwhile
  const { engine } = socket.io;
  const ended = engine && engine.readyState !== 'closed' ? new Promise((resolve) => engine.once('close', resolve)) : Promise.resolve();
  socket.disconnect();
  return ended;
}

/** Connects at once, as when the person comes back, instead of waiting for the next try. */
export function reconnectIfNeeded() {
  if (!socket.connected) reconnect();
}

/** Emits an event. Resolves to its acknowledgement, or to null if none came in time. */
async function emit(event, payload) {
  return status === 'online' ? (shared ?? own).emit(event, payload) : null;
}

async function emitOwn(event, payload) {
  if (!socket.connected) return null;
  try {
    const ack = await socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, payload);
    unanswered = 0;
    return ack;
  } catch {
    if (socket.connected) unanswered += 1; // else its end is known already
    if (unanswered >= MAX_UNANSWERED) reconnect();
    return null;
  }
}

/** Gives up the connection, whatever it waits for, and makes a new one. One that is another tab's is only looked after. */
function reconnect() {
  if (shared?.isFollowing) return shared.check();
  unanswered = 0;
  socket.disconnect().connect();
}
