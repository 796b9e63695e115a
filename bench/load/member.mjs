// A member of a room. It reads the frames itself: a room of 1,000 delivers 100,000 frames a second, and `ws` would spend as much on
// each as the server does. A delivery is only counted; everything else is handled as text, like any other person's packets.
import http from 'node:http';
import { Person } from './people.mjs';

const TEXT = 1, CLOSE = 8; // opcodes
const DELIVERY = Buffer.from('42["receiveMessage"');
const CLIENT_ID = Buffer.from('"clientId":"');
const HYPHEN = 45, ZERO = 48, NINE = 57;

export class RoomMember extends Person {
  open() {
    const { hostname, port } = new URL(this.url);
    const request = http.request({
      hostname, port, path: '/socket.io/?EIO=4&transport=websocket', agent: false,
      headers: {
        ...this.headers(), Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13,
        'Sec-WebSocket-Key': Buffer.alloc(16, this.id).toString('base64'),
      },
    });
    request.on('upgrade', (response, socket, head) => this.begin(socket, head));
    request.on('response', ({ statusCode }) => this.rejectReady(new Error(`${statusCode} instead of a WebSocket`)));
    request.on('error', this.rejectReady);
    request.end();
    return this.ready;
  }

  begin(socket, head) {
    this.socket = socket;
    this.rest = Buffer.alloc(0); // a frame of which a part has come
    socket.setNoDelay(true);
    socket.on('data', (data) => this.read(data));
    this.read(head);
    socket.on('error', this.rejectReady);
    socket.on('close', () => {
      this.hasEnded = true;
      this.rejectReady(new Error('closed'));
    });
  }

  read(data) {
    this.bytes += data.length;
    const bytes = this.rest.length ? Buffer.concat([this.rest, data]) : data;
    let at = 0;
    while (at + 10 <= bytes.length || at + 2 <= bytes.length && bytes[at + 1] < 126) {
      let length = bytes[at + 1], start = at + 2;
      if (length === 126) [length, start] = [bytes.readUInt16BE(start), start + 2];
      else if (length === 127) [length, start] = [Number(bytes.readBigUInt64BE(start)), start + 8];
      if (start + length > bytes.length) break;
      this.onFrame(bytes[at] & 0x0f, bytes, start, start + length);
      at = start + length;
    }
    this.rest = bytes.subarray(at);
  }

  onFrame(opcode, bytes, start, end) {
    if (opcode === CLOSE) this.close();
    if (opcode !== TEXT) return;
    if (end - start > DELIVERY.length && bytes.compare(DELIVERY, 0, DELIVERY.length, start, start + DELIVERY.length) === 0) {
      const number = numberOf(bytes, start, end);
      if (number) return this.handlers.deliveredNumber(number);
    }
    const text = bytes.toString('utf8', start, end);
    if (text[0] === '0') this.send('40');
    else this.onPacket(text);
  }

  // A client masks what it sends. A mask of zeros changes nothing.
  send(text) {
    const payload = Buffer.from(text);
    const header = payload.length < 126 ? Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0])
      : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]);
    this.socket.write(Buffer.concat([header, payload]));
  }

  close() {
    this.socket?.destroy();
  }
}

// Return the number behind the hyphen of a message's clientId, or 0.
function numberOf(bytes, start, end) {
  let at = bytes.indexOf(CLIENT_ID, start);
  if (at < 0 || at >= end) return 0;
  at = bytes.indexOf(HYPHEN, at + CLIENT_ID.length) + 1;
  let number = 0;
  for (let digit = bytes[at]; digit >= ZERO && digit <= NINE; digit = bytes[++at]) number = number * 10 + digit - ZERO;
  return number;
}
