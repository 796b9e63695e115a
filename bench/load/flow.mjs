// Messages in flight: always the same number of them, or so many per second. What counts as arrived a subclass says.
import { repeatAtRate } from './pace.mjs';

export const TEXT = 'The quick brown fox jumps over the lazy dog, again and again.';

export class Flow {
  constructor() {
    this.run = Math.random().toString(36).slice(2, 8);
    this.onTheWay = new Map(); // number -> what is still to come of a message
    this.reset();
  }

  reset() {
    this.complete = 0;
    this.refused = [];
    this.begun = performance.now();
  }

  // Send message `number` to `recipient`, as {receiverId} or {conversationId}.
  emit(sender, number, recipient) {
    const payload = { clientId: `${this.run}-${number}`, ...recipient, message: TEXT };
    sender.send(`42${number}["sendMessage",${JSON.stringify(payload)}]`);
  }

  arrived(number) {
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
    return { messages: this.complete, seconds: (performance.now() - this.begun) / 1000, refused: this.refused.slice(0, 3) };
  }
}
