// People who reconnect. Each keeps unacknowledged messages and sends them again, one at a time and in order.
import { repeatAtRate } from './pace.mjs';
import { SocketPerson } from './people.mjs';

const PAUSE_MS = 200, SPREAD_MS = 300; // before reconnecting; random, so that not all reconnect at the same moment

export class ReconnectingPerson extends SocketPerson {
  outbox = []; // {number, payload}; the first one is in flight
  longestBreak = 0; // milliseconds without a connection
  breaks = 0;

  open() {
    const opened = super.open();
    this.socket.on('close', () => this.reconnect());
    return opened;
  }

  reconnect() {
    if (this.isClosed) return;
    this.lostAt ??= performance.now();
    setTimeout(() => this.open().catch(() => {}), PAUSE_MS + Math.random() * SPREAD_MS);
  }

  onPacket(text) {
    super.onPacket(text);
    if (!text.startsWith('40')) return;
    if (this.lostAt !== undefined) {
      this.breaks += 1;
      this.longestBreak = Math.max(this.longestBreak, performance.now() - this.lostAt);
      this.lostAt = undefined;
    }
    this.isConnected = true;
    this.sendNext();
  }

  write(number, payload) {
    this.outbox.push({ number, payload });
    if (this.outbox.length === 1) this.sendNext();
  }

  sendNext() {
    const [first] = this.outbox;
    if (!first || this.socket.readyState !== this.socket.OPEN) return; // it is sent after reconnecting
    this.send(`42${first.number}["sendMessage",${JSON.stringify(first.payload)}]`);
  }

  onAcknowledged(number) {
    if (this.outbox[0]?.number !== number) return; // an answer to a message that was sent before the disconnection
    this.outbox.shift();
    this.sendNext();
  }

  close() {
    this.isClosed = true;
    super.close();
  }
}

// `rate` messages per second, each repeated until it is acknowledged.
export class ReliableTalk {
  acknowledgedIds = [];
  written = 0;
  refused = [];

  constructor(people) {
    this.people = people;
    this.run = Math.random().toString(36).slice(2, 8);
    this.writers = new Map(); // number -> {person, clientId}
  }

  write(rate) {
    this.begun = performance.now();
    this.stopPacing = repeatAtRate(() => 1000 / rate, () => this.writeOne());
  }

  writeOne() {
    const turn = this.written;
    const person = this.people[turn % this.people.length];
    const peer = this.people[(turn % this.people.length) ^ 1] ?? this.people[0];
    const number = ++this.written;
    const clientId = `${this.run}-${number}`;
    this.writers.set(number, { person, clientId });
    person.write(number, { clientId, receiverId: peer.id, message: `message ${number}` });
  }

  acknowledged(number, text) {
    const writer = this.writers.get(number);
    if (!writer) return;
    if (text.includes('"ok":true')) {
      this.writers.delete(number);
      this.acknowledgedIds.push(writer.clientId);
      writer.person.onAcknowledged(number);
    } else if (text.includes('"retry":true')) setTimeout(() => writer.person.sendNext(), PAUSE_MS);
    else this.refused.push(text);
  }

  delivered() {}

  stop() {
    this.stopPacing();
    this.seconds = (performance.now() - this.begun) / 1000;
  }

  tally() {
    return {
      run: this.run, written: this.written, seconds: this.seconds,
      pending: this.writers.size, acknowledged: this.acknowledgedIds, refused: this.refused.slice(0, 3),
      breaks: this.people.reduce((sum, person) => sum + person.breaks, 0),
      longestBreak: Math.max(...this.people.map((person) => person.longestBreak)),
    };
  }
}
