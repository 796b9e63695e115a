// Messages to a room. Each is counted when its last recipient has it and its sender the acknowledgement.
import { repeatAtRate } from './pace.mjs';
import { TEXT } from './talk.mjs';

let lastNumber = 0; // of all talks: a late delivery of the one before is not counted

export class RoomTalk {
  constructor(members, roomId) {
    this.members = members;
    this.roomId = roomId;
    this.run = Math.random().toString(36).slice(2, 8);
    this.onTheWay = new Map(); // number -> {left: deliveries and acknowledgement that are still to come}
    this.refused = [];
    this.reset();
  }

  reset() {
    this.complete = this.deliveries = 0;
    this.begun = performance.now();
  }

  send() {
    const number = ++lastNumber;
    const sender = this.members[number % this.members.length];
    this.onTheWay.set(number, { left: this.members.length }); // everybody else's delivery, and the acknowledgement
    const payload = { clientId: `${this.run}-${number}`, conversationId: this.roomId, message: TEXT };
    sender.send(`42${number}["sendMessage",${JSON.stringify(payload)}]`);
  }

  acknowledged(number, text) {
    if (text.includes('"ok":true')) this.note(number);
    else this.refused.push(text);
  }

  delivered(number) {
    this.deliveries += 1;
    this.note(number);
  }

  note(number) {
    const message = this.onTheWay.get(number);
    if (!message) return;
    message.left -= 1;
    if (message.left) return;
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
    this.stopPacing = repeatAtRate(() => -Math.log(1 - Math.random()) * 1000 / rate, () => this.send());
  }

  stop() {
    this.next = undefined;
    this.stopPacing?.();
  }

  figures() {
    return {
      messages: this.complete, deliveries: this.deliveries, seconds: (performance.now() - this.begun) / 1000,
      refused: this.refused.slice(0, 3), pending: this.onTheWay.size, ended: this.members.filter((one) => one.hasEnded).length,
    };
  }
}
