// Messages between two. Each is timed from the send to the delivery, and counted when it is delivered and acknowledged.
import { Flow } from './flow.mjs';

export class Talk extends Flow {
  constructor(people) {
    super();
    this.partners = new Map(people.map((person, n) => [person, people[n ^ 1] ?? people[0]]));
    this.people = people;
    this.turn = 0;
    this.number = 0;
  }

  reset() {
    super.reset();
    this.delivery = []; // milliseconds from send to delivery
  }

  send() {
    const sender = this.people[this.turn++ % this.people.length];
    const number = ++this.number;
    this.onTheWay.set(number, { sent: performance.now() });
    this.emit(sender, number, { receiverId: this.partners.get(sender).id });
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
    if (message.acknowledged && message.delivered) this.arrived(number);
  }

  figures() {
    const sorted = Float64Array.from(this.delivery).sort();
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
    return { ...super.figures(), p50: at(0.5), p99: at(0.99) };
  }
}
