// Messages in flight. Each is timed from the send to the delivery, and counted when it is delivered and acknowledged.
import { repeatAtRate } from './pace.mjs';

export const TEXT = 'The quick brown fox jumps over the lazy dog, again and again.';

export class Talk {
  constructor(people) {
    this.run = Math.random().toString(36).slice(2, 8);
    this.partners = new Map(people.map((person, n) => [person, people[n ^ 1] ?? people[0]]));
    this.people = people;
    this.turn = 0;
    this.number = 0;
    this.onTheWay = new Map(); // number -> {sent, acknowledged, delivered}
    this.reset();
  }

  reset() {
    this.complete = 0;
    this.refused = [];
    this.delivery = []; // milliseconds from send to delivery
    this.begun = performance.now();
  }

  send() {
    const sender = this.people[this.turn++ % this.people.length];
    const number = ++this.number;
    this.onTheWay.set(number, { sent: performance.now() });
    const payload = { clientId: `${this.run}-${number}`, receiverId: this.partners.get(sender).id, message: TEXT };
    sender.send(`42${number}["sendMessage",${JSON.stringify(payload)}]`);
  }

  acknowledged(number, text) {
    const message = this.onTheWay.get(number);
    if (!text.includes('"ok":true')) this.refused.push(text);
    if (message) this.note(number, message, 'acknowledged');
  }

  delivered(text) {
    const at = text.indexOf(this.run) + this.run.length + 1;
    const number = parseInt(text.slice(at, at + 12), 10);
    const message = this.onTheWay.get(number);
    if (!message) return;
    this.delivery.push(performance.now() - message.sent);
    this.note(number, message, 'delivered');
  }

  note(number, message, what) {
    message[what] = true;
    if (!message.acknowledged || !message.delivered) return;
    this.onTheWay.delete(number);
    this.complete += 1;
    this.next?.();
  }

  // Keep `inFlight` messages in flight.
  saturate(inFlight) {
    this.next = () => this.send();
    for (let n = 0; n < inFlight; n += 1) this.send();
  }

  // `rate` messages per second at random times, independent of each other.
  pace(rate) {
    this.next = undefined;
    this.stopPacing = repeatAtRate(() => -Math.log(1 - Math.random()) * 1000 / rate, () => this.send());
  }

  stop() {
    this.next = undefined;
    this.stopPacing?.();
  }

  figures() {
    const sorted = Float64Array.from(this.delivery).sort();
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
    return {
      messages: this.complete, seconds: (performance.now() - this.begun) / 1000, refused: this.refused.slice(0, 3),
      p50: at(0.5), p99: at(0.99),
    };
  }
}
