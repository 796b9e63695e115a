// The load generator: reads one JSON command per line and prints one line of JSON for each. Used by `python3 manage.py bench`.
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { ChangeTalk } from './change-talk.mjs';
import { ReconnectingPerson, ReliableTalk } from './reconnecting.mjs';
import { logIn } from './login.mjs';
import { RoomMember } from './member.mjs';
import { PollingPerson, SocketPerson } from './people.mjs';
import { RoomTalk } from './room-talk.mjs';
import { Talk } from './talk.mjs';

const SETTLE_SECONDS = 60;
const KINDS = { websocket: SocketPerson, polling: PollingPerson, reconnecting: ReconnectingPerson, member: RoomMember };

let people = [], talk, room, logins = [];
const handlers = {
  acknowledged: (number, text) => talk?.acknowledged(number, text),
  delivered: (text) => talk?.delivered(text),
  changed: (text) => talk?.changed?.(text),
};
const roomHandlers = {
  acknowledged: (number, text) => room?.acknowledged(number, text),
  delivered: () => {},
  deliveredNumber: (number) => room?.delivered(number),
};
const isMember = (one) => one instanceof RoomMember;

const commands = {
  // Connect each person, `atOnce` in parallel; `more` keeps the connections that are open.
  async connect({ url, who, kind = 'websocket', atOnce = 50, more = false }) {
    if (!more) commands.leave();
    const Kind = KINDS[kind];
    const fresh = who.map((one) => new Kind(one, url, kind === 'member' ? roomHandlers : handlers));
    people.push(...fresh);
    const queue = [...fresh];
    const lane = async () => { for (let one = queue.shift(); one; one = queue.shift()) await one.open(); };
    await Promise.all(Array.from({ length: atOnce }, lane));
    return { connected: fresh.length };
  },

  // Wait until each connected person sees at least `online` people.
  async waitForPresence({ online }) {
    const until = performance.now() + SETTLE_SECONDS * 1000;
    while (!people.every((one) => one.online.size >= online)) {
      if (performance.now() > until) throw new Error(`not everybody saw ${online} people`);
      await pause(20);
    }
    return { bytes: people.map((one) => one.bytes) };
  },

  // Messages to a room of all members who are connected, beside the talk of the others if there is one.
  talkInRoom({ roomId, inFlight, rate }) {
    room = new RoomTalk(people.filter(isMember), roomId);
    if (inFlight) room.saturate(inFlight);
    else room.pace(rate);
    return {};
  },

  roomFigures: () => room.figures(),

  saturate({ inFlight }) {
    talk = new Talk(people);
    talk.saturate(inFlight);
    return {};
  },

  // The same with changes of messages: `kind` is edit or react, `targets` the message of each person.
  saturateChanges({ inFlight, targets, kind }) {
    talk = new ChangeTalk(people, targets, kind);
    talk.saturate(inFlight);
    return {};
  },

  pace({ rate }) {
    talk = new Talk(people.filter((one) => !isMember(one)));
    talk.pace(rate);
    return {};
  },

  // `rate` messages per second of people who reconnect and send again, until stopWriting.
  write({ rate }) {
    talk = new ReliableTalk(people);
    talk.write(rate);
    return {};
  },

  stopWriting() {
    talk.stop();
    return {};
  },

  tally: () => talk.tally(),

  // `rate` logins per second by the form.
  logIns({ url, rate, who, password }) {
    let turn = 0;
    logins.push(setInterval(() => logIn(url, who[turn++ % who.length], password).catch((error) => talk.refused.push(String(error))), 1000 / rate));
    return {};
  },

  reset() {
    talk?.reset();
    room?.reset();
    return {};
  },

  figures: () => talk.figures(),

  async stop() {
    logins.splice(0).forEach(clearInterval);
    talk?.stop();
    room?.stop();
    await pause(300); // for messages in flight to arrive
    talk = room = undefined;
    return {};
  },

  leave() {
    people.splice(0).forEach((one) => { one.ready.catch(() => {}); one.close(); });
    return {};
  },
};

process.on('unhandledRejection', () => {}); // a connection that fails later: the figures show it

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...options } = JSON.parse(line);
  try {
    console.log(JSON.stringify(await commands[command](options)));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.stack ?? error) }));
  }
}
process.exit(0);
