// The peer: the chat as the report's authors would write it on their stack, in one process, as a fair comparison. Express,
// Socket.IO, express-session in Redis, mysql2 with a pool, one INSERT per message, then acknowledgement and delivery.
// It lacks gapless numbers, resends, limits and read marks, so it does not pay for them. A room is a room of Socket.IO. With
// ADAPTER=redis several such processes share their rooms through Redis.
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createAdapter } from '@socket.io/redis-adapter';
import bcrypt from 'bcryptjs';
import busboy from 'busboy';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import mysql from 'mysql2/promise';
import { createClient } from 'redis';
import { Server } from 'socket.io';

const { PORT = '0', MYSQL_PORT, REDIS_URL, BCRYPT_ROUNDS = '4', ADAPTER, FILES } = process.env;
const CONNECTIONS = 10;
const MAX_FILE_BYTES = 25_000_000;

const database = mysql.createPool({
  host: '127.0.0.1', port: Number(MYSQL_PORT), user: 'root', database: 'peer', connectionLimit: CONNECTIONS,
});

const store = await createClient({ url: REDIS_URL }).connect();
const sessions = session({
  store: new RedisStore({ client: store }), secret: 'of the benchmark alone', resave: false, saveUninitialized: false,
});

const app = express();
app.get('/healthz', (_request, response) => response.end());
app.use(express.urlencoded({ extended: false }), sessions);

app.post('/register', async (request, response) => {
  const { username, password } = request.body;
  const hash = await bcrypt.hash(password, Number(BCRYPT_ROUNDS));
  const [made] = await database.execute('INSERT INTO users (username, password) VALUES (?, ?)', [username, hash]);
  request.session.user = { id: made.insertId, username };
  response.json({ id: made.insertId });
});

// It writes the file and a row. It lacks resuming, hashes, types by content and quotas.
app.post('/files', async (request, response) => {
  const { user } = request.session;
  const form = busboy({ headers: request.headers, limits: { files: 1, fileSize: MAX_FILE_BYTES } });
  let stored;
  form.on('file', (_field, content, { filename, mimeType }) => {
    const key = randomUUID();
    stored = pipeline(content, createWriteStream(join(FILES, key))).then(() => database.execute(
      'INSERT INTO files (user_id, file_key, name, type) VALUES (?, ?, ?, ?)', [user.id, key, filename, mimeType],
    ));
  });
  await pipeline(request, form);
  const [made] = await stored;
  response.status(201).json({ id: made.insertId });
});

const http = createServer(app);
const io = new Server(http, { serveClient: false });
if (ADAPTER === 'redis') {
  const [publisher, subscriber] = await Promise.all([store.duplicate().connect(), store.duplicate().connect()]);
  io.adapter(createAdapter(publisher, subscriber));
}
io.engine.use(sessions);

const online = new Map(); // user id -> number of connections

io.use(async (socket, next) => {
  const user = socket.data.user = socket.request.session?.user;
  if (!user) return next(new Error('Please log in.'));
  const [rooms] = await database.execute('SELECT room_id FROM members WHERE user_id = ?', [user.id]);
  socket.join(rooms.map((row) => `room:${row.room_id}`));
  next();
});

io.on('connection', (socket) => {
  const { user } = socket.data;
  socket.join(`user:${user.id}`);
  online.set(user.id, (online.get(user.id) ?? 0) + 1);
  updateOnlineUsers();

  socket.on('sendMessage', async ({ clientId, receiverId = null, conversationId = null, message }, acknowledge) => {
    const timestamp = new Date();
    const recipients = conversationId ? [`room:${conversationId}`] : [`user:${receiverId}`, `user:${user.id}`];
    if (conversationId && !socket.rooms.has(recipients[0])) return acknowledge({ ok: false, error: { code: 'not_found' } });
    try {
      const [stored] = await database.execute(
        'INSERT INTO messages (sender_id, receiver_id, room_id, message, timestamp) VALUES (?, ?, ?, ?, ?)',
        [user.id, receiverId, conversationId, message, timestamp],
      );
      const sent = { id: stored.insertId, clientId, sender: user.username, senderId: user.id, receiverId, conversationId, message, timestamp };
      acknowledge({ ok: true, message: sent });
      socket.to(recipients).emit('receiveMessage', sent);
    } catch (error) {
      acknowledge({ ok: false, error: { code: 'unavailable', message: error.message, retry: true } });
    }
  });

  socket.on('disconnect', () => {
    const left = online.get(user.id) - 1;
    if (left) online.set(user.id, left);
    else online.delete(user.id);
    updateOnlineUsers();
  });
});

// Changes within a second are sent together. Otherwise the peer would do nothing else while people connect.
let telling;
function updateOnlineUsers() {
  telling ??= setTimeout(() => {
    telling = undefined;
    io.emit('updateOnlineUsers', [...online.keys()]);
  }, 1000);
}

http.listen(Number(PORT), '127.0.0.1', () => console.log(`The peer is at http://127.0.0.1:${http.address().port}`));
