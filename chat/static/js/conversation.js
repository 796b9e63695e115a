/** The open conversation: its messages, the field to write in, and how far its reader has read. */

import { isRoom } from './address.js';
import { say } from './announcer.js';
import { isConnectionLost, warnOfStorage } from './banner.js';
import { Composer } from './composer.js';
import { firstGesture } from './first-gesture.js';
import { formatNumber, gettext } from './i18n.js';
import { MessageList } from './message-list.js';
import { find, isPlainClick, isWatched, onTouch, part, setText } from './page.js';
import { emitTyping, markRead } from './socket.js';
import { setPageTitle } from './title.js';

const MAX_LIVE_MEMBERS = 50; // of a room; in a larger one each message would be marked by a thousand people at once
const LARGE_ROOM_PAUSE_MS = 5_000;
const ALL_READ_PAUSE_MS = 1_500; // from somebody's reading to asking whether everybody has read

const loadDetails = () => import('./details.js');
const loadRovingTabindex = () => import('./roving-tabindex.js');

export class Conversation {
  #markedSeq; // the server knows that the reader has read up to here, or is being told
  #isMarking = false;
  #timer = null; // of a mark that is put off
  #leaving = new AbortController();

  /** Takes over the conversation that the server rendered into `section`; `key` says which one it is (address.js). */
  constructor(section, key, lists, outbox) {
    Object.assign(this, { section, key, lists, outbox });
    const { signal } = this.#leaving;
    this.messageList = new MessageList(section, {
      unsent: () => outbox.to(this.key), onEnd: () => this.markNew(), onRefused: say, signal,
    });
    this.composer = new Composer(section, {
      key: this.key, outbox, onAdded: () => this.#showAdded(), onTyping: () => emitTyping(this.key), onOver: say, onStorageFailed: warnOfDrafts, signal,
    });
    this.#markedSeq = this.messageList.readSeq;
    const { list } = this.messageList;
    list.addEventListener('click', (event) => this.#settleFailed(event), { signal });
    list.addEventListener('click', (event) => this.#openDetails(event), { signal });
    firstGesture.then(loadDetails).catch(() => {});
    firstGesture.then(loadRovingTabindex).then(({ addRovingTabindex }) => addRovingTabindex(list, signal), () => {});
  }

  /** Shows where the reader left, or else what is new. */
  open(position) {
    if (isConnectionLost()) this.messageList.setChecked(false);
    this.messageList.open(position, this.lists.unread(this.key));
    this.mark();
  }

  leave() {
    this.#leaving.abort();
  }

  focus() {
    if (onTouch()) find('h1', this.section).focus({ preventScroll: true }); // the field would open the keyboard
    else this.composer.focus();
  }

  // How far it is read

  /** Whether its reader sees the newest message. */
  get isReading() {
    return isWatched() && this.section.isConnected && this.messageList.isAtEnd;
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
      return;
    }
    messageList.setPeerRead(ack.peerReadSeq);
    messageList.receive([], ack.lastSeq);
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
    if (!isRoom(this.key)) this.messageList.setPeerRead(seq);
    else if (this.messageList.rows.hasUnread) this.#markLater(ALL_READ_PAUSE_MS);
  }

  /** Shows what has changed of the room: the header, and what may be done in it. */
  roomChanged({ name, topic, members, archived }) {
    if (name) {
      setText(find('#conversation-title bdi', this.section), name);
      setPageTitle(`${name} · Chat`);
    }
    if (topic !== undefined) setText(part(this.section, 'topic'), topic);
    if (members) {
      this.section.dataset.members = members; // a room that has grown large is marked less often
      setText(part(this.section, 'member-count'), formatNumber(members));
      this.composer.membersChanged();
    }
    if (archived !== undefined) {
      find('#composer', this.section).hidden = archived;
      find('#archived', this.section).hidden = !archived;
    }
  }

  // Messages of one's own

  #showAdded() {
    this.messageList.removeDivider();
    this.messageList.toEnd();
  }

  /** The buttons of a message that the server has refused: retry, edit and delete. */
  #settleFailed(event) {
    const button = event.target.closest('[data-action]');
    if (!button) return;
    const { clientId } = button.closest('li').dataset;
    const { action } = button.dataset;
    if (action === 'retry') this.outbox.retry(clientId);
    if (action === 'edit') this.composer.append(this.outbox.to(this.key).find((entry) => entry.clientId === clientId)?.message);
    if (action !== 'retry') this.outbox.remove(clientId);
    this.focus();
  }

  async #openDetails(event) {
    const time = event.target.closest('[data-part="details"]');
    if (!time || !isPlainClick(event)) return;
    event.preventDefault();
    const details = await loadDetails().catch(() => null);
    if (details) details.openDetails(time.closest('li'), this.messageList);
    else say(gettext('The details could not be loaded.'));
  }
}

const warnOfDrafts = () => warnOfStorage(gettext('This browser cannot save drafts: they are lost when you close the page.'));
