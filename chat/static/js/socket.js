/**
 * The connection to the server: the report's Socket, with its four methods.
 *
 * Polling comes first and is upgraded to a WebSocket, so that a proxy that blocks the second costs nothing.
 */

import { io } from '../build/socket.io.js';
import { goToLogin } from './http.js';
import { gettext } from './i18n.js';
import { me } from './page.js';

const ACKNOWLEDGEMENT_MS = 4_000;
const REFUSED_PAUSE_MS = 2_000;
const DELIVERED_PAUSE_MS = 1_000;
const MAX_UNANSWERED = 2; // questions without an answer until the connection counts as dead

/** The ids of everyone who is online. */
export const online = new Set();

let socket;
let on;
let unanswered = 0;
const deliveries = new Map(); // user id → {seq: what has come, confirmed: what the server knows of, isEmitting}

/**
 * Connects, and stays connected until the session ends. `handlers` holds the callbacks `status('online' |
 * 'offline' | 'reconnecting' | 'refused', words of the refusal)`, `message(M)`, `online(changedIds)`, `read(payload)` and `typing(userId)`.
 */
export function initializeSocket(handlers) {
  on = handlers;
  // The server refuses a page of somebody who is not logged in any more, whoever is now.
  const auth = { userId: me.id };
  socket = io({ auth, transports: ['polling', 'websocket'], reconnectionDelay: 300, reconnectionDelayMax: 2_000 });
  socket.on('connect', () => {
    unanswered = 0;
    on.status('online');
    deliveries.forEach(emitDelivered);
  });
  socket.on('disconnect', (reason) => {
    on.status(navigator.onLine ? 'reconnecting' : 'offline');
    if (reason === 'io server disconnect') socket.connect();
  });
  socket.on('connect_error', refused);
  socket.on('receiveMessage', receiveMessage);
  socket.on('updateOnlineUsers', updateOnlineUsers);
  socket.on('messagesRead', (payload) => on.read(payload));
  socket.on('typing', ({ userId }) => on.typing(userId));
  addEventListener('offline', () => {
    on.status('offline');
    socket.io.engine?.close(); // otherwise the loss is noticed by the next missing ping, up to 45 s later
  });
  addEventListener('online', reconnect);
  return socket;
}

/** A refusal by the server is not tried again by socket.io; a network failure is. */
function refused(error) {
  if (error.data?.code === 'unauthorized') return goToLogin();
  const words = refusalWords(error);
  on.status(words ? 'refused' : navigator.onLine ? 'reconnecting' : 'offline', words);
  const askedMs = (error.data?.retryAfter ?? 0) * 1000;
  if (!socket.active) setTimeout(() => socket.connect(), Math.max(REFUSED_PAUSE_MS, askedMs));
}

/** Why the server does not let this page in, or nothing where it was not the server that said no. */
function refusalWords({ data, description: status }) {
  if (data?.message) return data.message;
  if (status === 401 || status === 429) {
    return gettext('Too many people are connected from your network. This page will reconnect automatically.');
  }
  if (status >= 400 && status < 500) return gettext('The server refused the connection. Reload the page.');
  return null;
}

/** Sends an entry of the outbox once. Resolves to the acknowledgement, or to null if none came. */
export async function sendMessage({ clientId, receiverId, message }) {
  const answer = await ask('sendMessage', { clientId, receiverId, message });
  if (answer?.error?.code === 'unauthorized') goToLogin();
  return answer;
}

/** A message of the person's own other tabs or of somebody else. It may be late, or come twice. */
export function receiveMessage(message) {
  on.message(message);
}

/** Who is online: everyone at once after connecting, then who came and who went. */
export function updateOnlineUsers({ snapshot, online: came = [], offline: gone = [] }) {
  const before = new Set(online);
  if (snapshot) online.clear();
  came.forEach((id) => online.add(id));
  gone.forEach((id) => online.delete(id));
  on.online([...new Set([...before, ...online])].filter((id) => before.has(id) !== online.has(id)));
}

/** Tells how far a conversation has been read. Resolves to where it stands, or to null. */
export function markRead(userId, seq) {
  const delivery = deliveryOf(userId);
  delivery.confirmed = Math.max(delivery.confirmed, seq); // what is read has come
  return ask('markRead', { userId, seq });
}

/** This person's messages up to `seq` have come. It is told at most once a second, and then what is the newest. */
export function markDelivered(userId, seq) {
  const delivery = deliveryOf(userId);
  delivery.seq = Math.max(delivery.seq, seq);
  emitDelivered(delivery, userId);
}

function deliveryOf(userId) {
  if (!deliveries.has(userId)) deliveries.set(userId, { seq: 0, confirmed: 0, isEmitting: false });
  return deliveries.get(userId);
}

/** Without a connection it waits for the next one. */
async function emitDelivered(delivery, userId) {
  const { seq } = delivery;
  if (delivery.isEmitting || seq <= delivery.confirmed || !socket?.connected) return;
  delivery.isEmitting = true;
  const pause = new Promise((resolve) => setTimeout(resolve, DELIVERED_PAUSE_MS));
  const answer = await ask('markDelivered', { userId, seq });
  if (answer?.ok) delivery.confirmed = Math.max(delivery.confirmed, seq);
  await pause;
  delivery.isEmitting = false;
  if (!answer || delivery.seq > seq) emitDelivered(delivery, userId);
}

export function emitTyping(userId) {
  if (socket?.connected) socket.volatile.emit('typing', { userId });
}

/** Ends the connection for good: the page is being left. Resolves when it has ended, which may wait for its upgrade. */
export function closeSocket() {
  const { engine } = socket.io;
  const ended = engine && engine.readyState !== 'closed' ? new Promise((resolve) => engine.once('close', resolve)) : Promise.resolve();
  socket.disconnect();
  return ended;
}

/** Tries again at once instead of after the growing pause, as when the person comes back. */
export function reconnectIfNeeded() {
  if (!socket.connected) reconnect();
}

async function ask(event, payload) {
  if (!socket?.connected) return null;
  try {
    const answer = await socket.timeout(ACKNOWLEDGEMENT_MS).emitWithAck(event, payload);
    unanswered = 0;
    return answer;
  } catch {
    if (socket.connected) unanswered += 1; // else the connection has told of its end itself
    if (unanswered >= MAX_UNANSWERED) reconnect();
    return null;
  }
}

/** Starts anew at once, whatever the old connection waits for. */
function reconnect() {
  unanswered = 0;
  socket.disconnect().connect();
}
