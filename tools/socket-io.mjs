// The Socket.IO client for bundle.mjs: its modules as a browser has them, without what the chat never uses.
//
// Its own bundle has transports that socket.js does not ask for, WebTransport and polling by fetch; attachments of bytes, where events of the
// chat are JSON; and it takes apart addresses of other servers. Together that is a fifth of it.

import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODULES = fileURLToPath(new URL('../node_modules/', import.meta.url));
const FOLDERS = { // of the packages that it is made of
  'socket.io-client': 'socket.io-client/build/esm',
  'socket.io-parser': 'socket.io-parser/build/esm',
  'engine.io-client': 'engine.io-client/build/esm',
  'engine.io-parser': 'engine.io-parser/build/esm',
  '@socket.io/component-emitter': '@socket.io/component-emitter/lib/esm',
};
const folderOf = (name) => join(MODULES, FOLDERS[name]);
const fromTransport = (name, file) => `import { ${name} } from ${JSON.stringify(join(folderOf('engine.io-client'), 'transports', file))};`;

const IN_PLACE_OF = { // file → its source
  [join(folderOf('socket.io-client'), 'index.js')]: "export { Manager } from './manager.js';",
  [join(folderOf('engine.io-client'), 'contrib', 'parseuri.js')]: 'export const parse = null;',
  [join(folderOf('engine.io-client'), 'transports', 'index.js')]: `
    ${fromTransport('XHR', 'polling-xhr.js')}
    ${fromTransport('WS', 'websocket.js')}
    export const transports = { polling: XHR, websocket: WS };`,
  [join(folderOf('socket.io-parser'), 'is-binary.js')]: 'export const isBinary = () => false; export const hasBinary = isBinary;',
  [join(folderOf('socket.io-parser'), 'binary.js')]: 'export const deconstructPacket = null; export const reconstructPacket = null;',
};

/** A plugin of Rollup that finds `socket.io-client` and what it imports. Of two files `x.js` and `x.node.js` the first is for browsers. */
export const findSocketIo = {
  name: 'find-socket-io',
  resolveId(id, importer) {
    if (id in FOLDERS) return join(folderOf(id), 'index.js');
    return importer?.startsWith(MODULES) ? resolve(dirname(importer), id).replace(/\.node\.js$/, '.js') : null;
  },
  load: (id) => IN_PLACE_OF[id] ?? null,
};

const { version, license } = JSON.parse(readFileSync(join(MODULES, 'socket.io-client', 'package.json'), 'utf8'));

/** What its license asks for. */
export const notice = `/*! Socket.IO ${version}, ${license} license, (c) Guillermo Rauch and contributors */`;
