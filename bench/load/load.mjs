// The load generator: reads one command a line as JSON, answers each with one line. `python3 manage.py bench` drives it.
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { LastingPerson, LastingTalk } from './lasting.mjs';
import { logIn } from './login.mjs';
import { PollingPerson, SocketPerson } from './people.mjs';
import { Talk } from './talk.mjs';

const SETTLE_SECONDS = 60;
const KINDS = { websocket: SocketPerson, polling: PollingPerson, lasting: LastingPerson };

let people = [], talk, logins = [];
const ears = {
  acknowledged: (number, text) => talk?.acknowledged(number, text),
  delivered: (text) => talk?.delivered(text),
};

const commands = {
  // Open a connection for each person, `atOnce` at a time; `more` keeps those who are here.
  async connect({ url, who, kind = 'websocket', atOnce = 50, more = false }) {
    if (!more) commands.leave();
    const Kind = KINDS[kind];
    const fresh = who.map((one) => new Kind(one, url, ears));
    people.push(...fresh);
    const waiting = [...fresh];
    const lane = async () => { for (let one = waiting.shift(); one; one = waiting.shift()) await one.open(); };
    await Promise.all(Array.from({ length: atOnce }, lane));
    return { connected: fresh.length };
  },

  // Wait until each of those who are here sees at least `online` people.
  async settle({ online }) {
    const until = performance.now() + SETTLE_SECONDS * 1000;
    while (!people.every((one) => one.online.size >= online)) {
      if (performance.now() > until) throw new Error(`not everybody saw ${online} people`);
      await pause(20);
    }
    return { bytes: people.map((one) => one.bytes) };
  },

  saturate({ inFlight }) {
    talk = new Talk(people);
    talk.saturate(inFlight);
    return {};
  },

  pace({ rate }) {
    talk = new Talk(people);
    talk.pace(rate);
    return {};
  },

  // `rate` messages a second of people who come back and send again, until stopWriting.
  write({ rate }) {
    talk = new LastingTalk(people);
    talk.write(rate);
    return {};
  },

  stopWriting() {
    talk.stop();
    return {};
  },

  tally: () => talk.tally(),

  // `rate` times a second somebody logs in by the form.
  logIns({ url, rate, who, password }) {
    let turn = 0;
    logins.push(setInterval(() => logIn(url, who[turn++ % who.length], password).catch((error) => talk.refused.push(String(error))), 1000 / rate));
    return {};
  },

  reset() {
    talk.reset();
    return {};
  },

  figures: () => talk.figures(),

  async stop() {
    logins.splice(0).forEach(clearInterval);
    talk?.stop();
    await pause(300); // what is on its way arrives
    talk = undefined;
    return {};
  },

  leave() {
    people.splice(0).forEach((one) => { one.ready.catch(() => {}); one.close(); });
    return {};
  },
};

process.on('unhandledRejection', () => {}); // a person whose connection fails later: the figures tell

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...options } = JSON.parse(line);
  try {
    console.log(JSON.stringify(await commands[command](options)));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.stack ?? error) }));
  }
}
process.exit(0);
