// Messages to a room. Each is counted when its last recipient has it and its sender the acknowledgement.
import { Flow } from './flow.mjs';

let lastNumber = 0; // of all talks: a late delivery of the one before is not counted

export class RoomTalk extends Flow {
  constructor(members, roomId) {
    super();
    this.members = members;
    this.roomId = roomId;
  }

  reset() {
    super.reset();
    this.deliveries = 0;
  }

  send() {
    const number = ++lastNumber;
    this.onTheWay.set(number, { left: this.members.length }); // everybody else's delivery, and the acknowledgement
    this.emit(this.members[number % this.members.length], number, { conversationId: this.roomId });
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
    if (!message.left) this.arrived(number);
  }

  figures() {
    const ended = this.members.filter((one) => one.hasEnded).length;
    return { ...super.figures(), deliveries: this.deliveries, pending: this.onTheWay.size, ended };
  }
}
