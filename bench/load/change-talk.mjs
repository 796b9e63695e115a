// Changes in flight: each person edits a message of theirs, or reacts to it. A change is counted when both people of the
// conversation were told of it and it is acknowledged.
import { TEXT } from './flow.mjs';
import { Talk } from './talk.mjs';

const TOLD = 2; // connections: the actor's own and the other person's
const NUMBER = /"change":(\d+)/, CONVERSATION = /"conversationId":(\d+)/;

export class ChangeTalk extends Talk {
  // `targets` are {conversationId, seq} of each person, in their order.
  constructor(people, targets, kind) {
    super(people);
    this.targets = new Map(people.map((person, n) => [person, targets[n]]));
    this.kind = kind;
    this.byNumber = new Map(); // number of the packet -> the conversation
    this.ends = new Map(); // conversation and number of the change -> how often it was told or acknowledged
  }

  send() {
    const sender = this.people[this.turn++ % this.people.length];
    const number = ++this.number;
    const target = this.targets.get(sender);
    const round = Math.floor(number / this.people.length);
    const verb = this.kind === 'edit' ? { edit: `${TEXT} ${round}` } : { react: '👍', on: round % 2 === 0 };
    this.byNumber.set(number, target.conversationId);
    sender.send(`42${number}["changeMessage",${JSON.stringify({ clientId: `${this.run}-${number}`, ...target, ...verb })}]`);
  }

  acknowledged(number, text) {
    const conversation = this.byNumber.get(number);
    if (conversation === undefined) return;
    this.byNumber.delete(number);
    if (text.includes('"ok":true')) this.count(conversation, text);
    else this.refused.push(text);
  }

  changed(text) {
    this.count(CONVERSATION.exec(text)[1], text);
  }

  count(conversation, text) {
    const key = `${conversation} ${NUMBER.exec(text)[1]}`;
    const times = (this.ends.get(key) ?? 0) + 1;
    if (times <= TOLD) {
      this.ends.set(key, times);
      return;
    }
    this.ends.delete(key);
    this.complete += 1;
    this.next?.();
  }
}
