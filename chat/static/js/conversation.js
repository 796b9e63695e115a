/** The open conversation: its messages, the field to write in, and how far its reader has read. */

import { isRoom } from './address.js';
import { say } from './announcer.js';
import { isConnectionLost, showNotice, warnOfStorage } from './banner.js';
import { Composer } from './composer.js';
import { releaseFiles } from './files.js';
import { gettext } from './i18n.js';
import { due, later } from './later.js';
import { loadConversationMore } from './load-conversation-more.js';
import { watchGestures } from './message-gestures.js';
import { MessageList } from './message-list.js';
import { find, findAll, isPlainClick, isWatched, onTouch } from './page.js';
import { emitTyping, markRead } from './socket.js';

const MAX_LIVE_MEMBERS = 50; // of a room; in a larger one each message would be marked by a thousand people at once
const LARGE_ROOM_PAUSE_MS = 5_000;
const ALL_READ_PAUSE_MS = 1_500; // from somebody's reading to asking whether everybody has read

const loadDetails = later(() => import('./details.js'));
const loadMessageChanges = later(() => import('./message-changes.js'));

const ACTIONS = ['edit', 'remove', 'react', 'reply', 'pin', 'markUnread', 'copy'];

export class Conversation {
  /** What menus and chips can do to a message: functions `(row, …)`. */
  messageActions = Object.fromEntries(ACTIONS.map((name) => [name, (...values) => this.#act(name, values)]));
  #markedSeq; // the server knows that the reader has read up to here, or is being told
  #isMarking = false;
  #timer = null; // of a mark that is put off
  #conflicts = null; // a promise of the Conflicts, once an edit has failed
  #leaving = new AbortController();

  /**
   * Takes over the conversation that the server rendered into `section`; `key` says which one it is (address.js). `goHome()` leaves it;
   * `onEnded(key)` is called when the server says that its reader has no access any more.
   */
  constructor(section, key, lists, outbox, { goHome, onEnded }) {
    Object.assign(this, { section, key, lists, outbox, goHome, onEnded });
    const { signal } = this.#leaving;
    this.messageList = new MessageList(section, {
      key, unsent: () => outbox.to(this.key), onOwn: (message) => outbox.stored(message), onEnd: () => this.markNew(), onRefused: say,
      blobOf: (id) => outbox.blobOf(id), signal,
    });
    const on = {
      added: () => this.#showAdded(), editLast: () => this.#editLast(), typing: () => emitTyping(this.key), say, storageFailed: warnOfDrafts,
    };
    this.composer = new Composer(section, { key, outbox, on, signal });
    lists.opened(key);
    this.#markedSeq = this.messageList.readSeq;
    const { list } = this.messageList;
    list.addEventListener('click', (event) => this.#settleFailed(event), { signal });
    list.addEventListener('click', (event) => this.#openDetails(event), { signal });
    watchGestures(this, signal);
    due.then(loadConversationMore).then(({ addRovingTabindex }) => addRovingTabindex(list, signal), () => {});
  }

  /** Shows where the reader left, else the message that the address names, or else what is new. */
  open(position) {
    if (isConnectionLost()) this.messageList.setChecked(false);
    const named = Number(new URLSearchParams(location.search).get('at'));
    this.messageList.open(position ?? (named ? { seq: named } : null), this.lists.unread(this.key));
    this.showOutbox();
    this.mark();
  }

  leave() {
    this.#leaving.abort();
    releaseFiles();
  }

  focus() {
    if (onTouch()) find('h1', this.section).focus({ preventScroll: true }); // the field would open the keyboard
    else this.composer.focus();
  }

  // How far it is read

  /** Whether its reader sees the newest message. */
  get isReading() {
    return isWatched() && this.section.isConnected && this.messageList.isAtEnd && !this.messageList.isOpening;
  }

  /** Marks what has come as read, if its reader sees it. */
  markNew() {
    if (this.#isMarking || !this.isReading || this.messageList.rows.newestOfPeer <= this.#markedSeq) return;
    if (Number(this.section.dataset.members ?? 0) > MAX_LIVE_MEMBERS) this.#markLater(LARGE_ROOM_PAUSE_MS);
    else this.mark();
  }

  /** Marks after a pause: what happens meanwhile costs nothing more. */
  #markLater(pauseMs) {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      if (!this.#leaving.signal.aborted) this.mark();
    }, pauseMs);
  }

  /** Tells the server how far its reader is, and learns how far the conversation goes: the heartbeat too. */
  async mark() {
    const { messageList } = this;
    if (this.isReading) this.#markedSeq = Math.max(this.#markedSeq, messageList.rows.newestOfPeer);
    this.#isMarking = true;
    const ack = await markRead(this.key, this.#markedSeq);
    if (ack?.ok) this.setRead(ack.readSeq); // even if it has been left: the lists count
    if (this.#leaving.signal.aborted) return;
    this.#isMarking = false;
    if (!ack?.ok) {
      this.#markedSeq = messageList.readSeq;
      if (ack?.error.code === 'not_found') this.onEnded(this.key); // the membership has ended while nothing was heard
      return;
    }
    messageList.rows.setPeerRead(ack.peerReadSeq);
    messageList.receive([], ack.lastSeq);
    messageList.changes.hear(ack.lastChange);
    messageList.setChecked(true);
    this.markNew(); // what came meanwhile
  }

  /** Its reader has read up to `seq`, here or in another tab. */
  setRead(seq) {
    this.messageList.readSeq = Math.max(this.messageList.readSeq, seq);
    this.lists.read(this.key, seq);
  }

  /** Somebody else has read up to `seq`. In a room the ticks mean everybody: the server says how far that is. */
  otherHasRead(userId, seq) {
    if (!isRoom(this.key)) this.messageList.rows.setPeerRead(seq);
    else if (this.messageList.rows.hasUnread) this.#markLater(ALL_READ_PAUSE_MS);
  }

  /** Shows what has changed of the room: the header, and what may be done in it. */
  roomChanged(room) {
    if (room.members) this.composer.membersChanged();
    loadConversationMore().then(({ showRoomHeader }) => showRoomHeader(this.section, room), () => {});
  }

  // Messages that change

  /** Does something to a message: what it does stands in verbs.js, which is loaded for it. */
  async #act(name, values) {
    const module = await loadMessageChanges().catch(() => null);
    if (!module) return showNotice(gettext('The server did not answer. Please try again.'));
    await this.messageList.rows.loadPending();
    return new module.Verbs(this)[name](...values);
  }

  /** Takes one's own last message back into the field. Returns whether there is one; far from the newest ones, the list goes to them first. */
  #editLast() {
    if (!this.messageList.seqWindow.followsEnd) {
      this.messageList.toEnd();
      say(gettext('To the newest messages'));
      return true;
    }
    const row = findAll('li.mine:not([data-deleted]):not([data-state="failed"])', this.messageList.list).at(-1);
    if (row) this.messageActions.edit(row);
    return Boolean(row);
  }

  // Messages of one's own

  /** Shows what is in the outbox: messages, changes, and the edits that have failed. */
  async showOutbox() {
    this.messageList.showUnsent();
    const failed = this.outbox.to(this.key).filter(({ verb, state }) => verb && state === 'failed');
    if (!failed.length && !this.#conflicts) return;
    const make = ({ Conflicts }) => new Conflicts(this.composer.form, this.messageList, this.outbox);
    this.#conflicts ??= loadMessageChanges().then(make).catch(() => { this.#conflicts = null; });
    (await this.#conflicts)?.show(failed);
  }

  /** So many bytes of the files of an entry are there. */
  showUploading(clientId, loaded) {
    const entry = this.outbox.to(this.key).find((one) => one.clientId === clientId);
    if (entry) this.messageList.rows.showUploading(entry, loaded);
  }

  #showAdded() {
    this.messageList.removeDivider();
    this.messageList.toEnd();
  }

  /** The buttons of a message that the server has refused: retry, edit and delete; and of one whose files are being uploaded: cancel. */
  async #settleFailed(event) {
    const button = event.target.closest('[data-part="failed"] [data-action], [data-action="cancel-upload"]');
    if (!button) return;
    const { clientId } = button.closest('li.message').dataset;
    const { action } = button.dataset;
    this.focus();
    if (action === 'retry') return this.outbox.retry(clientId);
    if (action === 'cancel-upload') return this.#cancelUpload(button.closest('li.message'));
    if (action === 'edit') await this.composer.takeBack(this.outbox.to(this.key).find((entry) => entry.clientId === clientId), this.outbox);
    this.outbox.remove(clientId);
  }

  /** Takes a message back while its files are uploaded; once it is being sent, it is deleted after that. */
  async #cancelUpload(row) {
    const isGone = await this.outbox.amend(row.dataset.clientId, () => null);
    if (!isGone) this.messageActions.remove(row);
  }

  async #openDetails(event) {
    const time = event.target.closest('[data-part="details"]');
    if (!time || !isPlainClick(event)) return;
    event.preventDefault();
    const details = await loadDetails().catch(() => null);
    if (details) details.openDetails(time.closest('li.message'), this.messageList);
    else say(gettext('The details could not be loaded.'));
  }
}

const warnOfDrafts = () => warnOfStorage(gettext('This browser cannot save drafts: they are lost when you close the page.'));
