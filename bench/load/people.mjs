// Clients over raw WebSockets or raw long polling. They speak only as much Socket.IO as a message needs.
import http from 'node:http';
import WebSocket from 'ws';

const CONNECT = '40';
const PING = '2', PONG = '3';
const SEPARATOR = '\x1e';
const RECEIVED = '42["receiveMessage"';
const CHANGED = '42["messageChanged"';
const PRESENCE = '42["updateOnlineUsers",';

export class Person {
  constructor({ id, cookie }, url, handlers) {
    Object.assign(this, { id, cookie, url, handlers });
    this.bytes = 0; // received in frames or answers
    this.online = new Set();
    this.ready = new Promise((resolve, reject) => Object.assign(this, { resolveReady: resolve, rejectReady: reject }));
  }

  headers() {
    return { Cookie: this.cookie, Origin: this.url };
  }

  // Handle one Engine.IO packet.
  onPacket(text) {
    if (text === PING) this.send(PONG);
    else if (text.startsWith(CONNECT)) this.resolveReady(this);
    else if (text.startsWith('43')) {
      const bracket = text.indexOf('[');
      this.handlers.acknowledged(Number(text.slice(2, bracket)), text);
    } else if (text.startsWith(RECEIVED)) this.handlers.delivered(text);
    else if (text.startsWith(CHANGED)) this.handlers.changed?.(text);
    else if (text.startsWith(PRESENCE)) this.onPresence(JSON.parse(text.slice(2))[1]);
    else if (text.startsWith('44')) this.rejectReady(new Error(text));
  }

  onPresence(payload) {
    if (Array.isArray(payload)) this.online = new Set(payload); // the peer sends the complete list each time
    else {
      if (payload.snapshot) this.online = new Set();
      for (const id of payload.online) this.online.add(id);
      for (const id of payload.offline ?? []) this.online.delete(id);
    }
    this.handlers.saw?.(this);
  }
}

export class SocketPerson extends Person {
  open() {
    const address = `${this.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
    this.socket = new WebSocket(address, { headers: this.headers(), perMessageDeflate: false, skipUTF8Validation: true });
    this.socket.on('message', (data) => {
      this.bytes += data.length;
      const text = data.toString();
      if (text[0] === '0') this.send(CONNECT);
      else this.onPacket(text);
    });
    this.socket.on('error', this.rejectReady);
    this.socket.on('close', () => this.rejectReady(new Error('closed')));
    return this.ready;
  }

  send(text) {
    this.socket.send(text);
  }

  close() {
    this.socket.terminate();
  }
}

export class PollingPerson extends Person {
  open() {
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
    this.pendingPackets = [];
    this.address = `${this.url}/socket.io/?EIO=4&transport=polling`;
    this.ask('GET').then((body) => {
      this.address += `&sid=${JSON.parse(body.slice(1)).sid}`;
      this.poll();
      this.send(CONNECT);
    }).catch(this.rejectReady);
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
        for (const packet of (await this.ask('GET')).split(SEPARATOR)) this.onPacket(packet);
      }
    } catch (error) {
      if (!this.closed) this.rejectReady(error);
    }
  }

  send(text) {
    this.pendingPackets.push(text);
    if (!this.posting) this.post();
  }

  // One POST at a time, with all pending packets, as in the browser's client.
  async post() {
    this.posting = true;
    try {
      while (this.pendingPackets.length) await this.ask('POST', this.pendingPackets.splice(0).join(SEPARATOR));
    } catch (error) {
      if (!this.closed) this.rejectReady(error);
    }
    this.posting = false;
  }

  close() {
    this.closed = true;
    this.agent.destroy();
  }
}
