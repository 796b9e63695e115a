// People who come back: each keeps what was not acknowledged, sends it again after a break, one at a time and in order.
import { keepPace } from './pace.mjs';
import { SocketPerson } from './people.mjs';

const PAUSE_MS = 200, SPREAD_MS = 300; // before coming back: not all at the same moment

export class LastingPerson extends SocketPerson {
  outbox = []; // {number, payload}; the first one is on its way
  longestBreak = 0; // milliseconds without a connection
  breaks = 0;

  open() {
    const opened = super.open();
    this.socket.on('close', () => this.comeBack());
    return opened;
  }

  comeBack() {
    if (this.hasLeft) return;
    this.lostAt ??= performance.now();
    setTimeout(() => this.open().catch(() => {}), PAUSE_MS + Math.random() * SPREAD_MS);
  }

  hear(text) {
    super.hear(text);
    if (!text.startsWith('40')) return;
    if (this.lostAt !== undefined) {
      this.breaks += 1;
      this.longestBreak = Math.max(this.longestBreak, performance.now() - this.lostAt);
      this.lostAt = undefined;
    }
    this.isConnected = true;
    this.sendFirst();
  }

  write(number, payload) {
    this.outbox.push({ number, payload });
    if (this.outbox.length === 1) this.sendFirst();
  }

  sendFirst() {
    const [first] = this.outbox;
    if (!first || this.socket.readyState !== this.socket.OPEN) return; // it is sent when the connection is back
    this.say(`42${first.number}["sendMessage",${JSON.stringify(first.payload)}]`);
  }

  settle(number) {
    if (this.outbox[0]?.number !== number) return; // the answer to what was sent before the break
    this.outbox.shift();
    this.sendFirst();
  }

  close() {
    this.hasLeft = true;
    super.close();
  }
}

// `rate` messages a second, each until it is acknowledged.
export class LastingTalk {
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
    this.rest = keepPace(() => 1000 / rate, () => this.writeOne());
  }

  writeOne() {
    const turn = this.written;
    const person = this.people[turn % this.people.length];
    const peer = this.people[(turn % this.people.length) ^ 1] ?? this.people[0];
    const number = ++this.written;
    const clientId = `${this.run}-${number}`;
    this.writers.set(number, { person, clientId });
    person.write(number, { clientId, receiverId: peer.id, message: `lasting ${number}` });
  }

  acknowledged(number, text) {
    const writer = this.writers.get(number);
    if (!writer) return;
    if (text.includes('"ok":true')) {
      this.writers.delete(number);
      this.acknowledgedIds.push(writer.clientId);
      writer.person.settle(number);
    } else if (text.includes('"retry":true')) setTimeout(() => writer.person.sendFirst(), PAUSE_MS);
    else this.refused.push(text);
  }

  delivered() {}

  stop() {
    this.rest();
    this.seconds = (performance.now() - this.begun) / 1000;
  }

  tally() {
    return {
      run: this.run, written: this.written, seconds: this.seconds,
      waiting: this.writers.size, acknowledged: this.acknowledgedIds, refused: this.refused.slice(0, 3),
      breaks: this.people.reduce((sum, person) => sum + person.breaks, 0),
      longestBreak: Math.max(...this.people.map((person) => person.longestBreak)),
    };
  }
}
