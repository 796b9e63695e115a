// People at the other end of the wire: raw WebSocket, or raw long polling, speaking just as much Socket.IO as a message needs.
import http from 'node:http';
import WebSocket from 'ws';

const CONNECT = '40';
const PING = '2', PONG = '3';
const SEPARATOR = '\x1e';
const RECEIVED = '42["receiveMessage"';
const PRESENCE = '42["updateOnlineUsers",';

class Person {
  constructor({ id, cookie }, url, ears) {
    Object.assign(this, { id, cookie, url, ears });
    this.bytes = 0; // received over the wire's frames or answers
    this.online = new Set();
    this.ready = new Promise((resolve, reject) => Object.assign(this, { welcome: resolve, fail: reject }));
  }

  headers() {
    return { Cookie: this.cookie, Origin: this.url };
  }

  // One packet of Engine.IO, as text.
  hear(text) {
    if (text === PING) this.say(PONG);
    else if (text.startsWith(CONNECT)) this.welcome(this);
    else if (text.startsWith('43')) {
      const bracket = text.indexOf('[');
      this.ears.acknowledged(Number(text.slice(2, bracket)), text);
    } else if (text.startsWith(RECEIVED)) this.ears.delivered(text);
    else if (text.startsWith(PRESENCE)) this.see(JSON.parse(text.slice(2))[1]);
    else if (text.startsWith('44')) this.fail(new Error(text));
  }

  see(told) {
    if (Array.isArray(told)) this.online = new Set(told); // the peer tells everything each time
    else {
      if (told.snapshot) this.online = new Set();
      for (const id of told.online) this.online.add(id);
      for (const id of told.offline ?? []) this.online.delete(id);
    }
    this.ears.saw?.(this);
  }
}

export class SocketPerson extends Person {
  open() {
    const address = `${this.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
    this.socket = new WebSocket(address, { headers: this.headers(), perMessageDeflate: false, skipUTF8Validation: true });
    this.socket.on('message', (data) => {
      this.bytes += data.length;
      const text = data.toString();
      if (text[0] === '0') this.say(CONNECT);
      else this.hear(text);
    });
    this.socket.on('error', this.fail);
    this.socket.on('close', () => this.fail(new Error('closed')));
    return this.ready;
  }

  say(text) {
    this.socket.send(text);
  }

  close() {
    this.socket.terminate();
  }
}

export class PollingPerson extends Person {
  open() {
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
    this.waiting = [];
    this.address = `${this.url}/socket.io/?EIO=4&transport=polling`;
    this.ask('GET').then((body) => {
      this.address += `&sid=${JSON.parse(body.slice(1)).sid}`;
      this.poll();
      this.say(CONNECT);
    }).catch(this.fail);
    return this.ready;
  }

  ask(method, body) {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'Content-Type': 'text/plain;charset=UTF-8', 'Content-Length': Buffer.byteLength(body) };
      const request = http.request(this.address, { method, agent: this.agent, headers: { ...this.headers(), ...length } });
      request.on('error', reject);
      request.on('response', (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => {
          const text = Buffer.concat(parts).toString();
          this.bytes += text.length;
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`${method} ${response.statusCode} ${text}`));
        });
      });
      request.end(body);
    });
  }

  async poll() {
    try {
      while (!this.closed) {
        for (const packet of (await this.ask('GET')).split(SEPARATOR)) this.hear(packet);
      }
    } catch (error) {
      if (!this.closed) this.fail(error);
    }
  }

  say(text) {
    this.waiting.push(text);
    if (!this.posting) this.post();
  }

  // One POST at a time, with all that waits: as the browser's client does.
  async post() {
    this.posting = true;
    try {
      while (this.waiting.length) await this.ask('POST', this.waiting.splice(0).join(SEPARATOR));
    } catch (error) {
      if (!this.closed) this.fail(error);
    }
    this.posting = false;
  }

  close() {
    this.closed = true;
    this.agent.destroy();
  }
}
