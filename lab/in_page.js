/** What the laboratory does inside a page: it looks, it moves the clock, it keeps the network from hearing the page. */
globalThis.lab ??= (() => {
  const LIVE_WITHIN_MS = 10_000; // of the page's own script, once it has begun to come
  const AT_END_PX = 100; // as scroll-anchor.js counts it
  const ASK_AGAIN_MS = 5;
  const TEXT_LENGTH = 80; // of what is told of a text: whoever is watched writes less
  const PAGE_LENGTH = 200; // the most that the server gives at once
  const PAGES = 10;
  const ANSWER_MS = 2_000;
  const part = (row, name) => (row.querySelector(`[data-part="${name}"]`)?.textContent ?? '').slice(0, TEXT_LENGTH);
  const rows = () => [...document.querySelectorAll('#history > li.message')];
  let broken = '';
  let clockOffsetMs = 0;

  // A module that does not come leaves a page that looks well and does nothing.
  addEventListener('error', ({ target }) => {
    if (target instanceof HTMLScriptElement) broken = `${target.src} did not come`;
  }, true);
  addEventListener('unhandledrejection', ({ reason }) => {
    if (String(reason).includes('dynamically imported')) broken = String(reason);
  });

  const realNow = Date.now;
  const now = () => realNow() + clockOffsetMs;
  globalThis.Date = new Proxy(Date, {
    construct: (date, parts, target) => Reflect.construct(date, parts.length ? parts : [now()], target),
    apply: (date) => new date(now()).toString(),
    get: (date, name) => (name === 'now' ? now : Reflect.get(date, name)),
  });

  /** Whether the page's script has taken over: the composer says so in its constructor. */
  const isLive = () => document.querySelector('#message')?.hasAttribute('aria-invalid') ?? false;

  function look() {
    const list = rows().map((row) => [
      Number(row.dataset.seq) || null, row.dataset.clientId, row.matches('.mine'), row.dataset.state, part(row, 'text'),
      row.dataset.state === 'failed' ? part(row, 'failed-text') : '',
    ]);
    if (!isLive() && performance.now() > LIVE_WITHIN_MS) broken ||= `not live after ${LIVE_WITHIN_MS / 1000} s`;
    readOn();
    return JSON.stringify({
      document: performance.timeOrigin,
      isConversation: Boolean(document.querySelector('#conversation')) || document.readyState === 'loading',
      isLive: isLive(),
      broken,
      rows: list,
      banner: document.querySelector('#connection')?.textContent.trim() ?? '',
      draft: document.querySelector('#message')?.value ?? '',
    });
  }

  /** Follows the conversation to its end, as its reader does. */
  function readOn() {
    const scroll = document.querySelector('#history-scroll');
    if (!scroll) return;
    const restPx = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
    if (restPx > AT_END_PX) scroll.scrollTop = scroll.scrollHeight;
  }

  /** What waits in the outbox, `[{clientId, message, state, …}]` as it was written. Without one none is made. */
  function entries() {
    const { promise, resolve, reject } = Promise.withResolvers();
    const opening = indexedDB.open(`outbox:${document.body.dataset.userId}`);
    opening.onupgradeneeded = () => opening.transaction.abort();
    opening.onerror = () => resolve([]);
    opening.onsuccess = () => {
      const reading = opening.result.transaction('entries');
      const asked = reading.objectStore('entries').getAll();
      reading.oncomplete = () => resolve(asked.result.sort((a, b) => a.createdAt - b.createdAt));
      reading.onabort = () => reject(reading.error);
      opening.result.close(); // when the transaction has ended
    };
    return promise;
  }

  /** Waits until a text just written is safe: in the outbox or answered. Returns `{clientId, isKept}` or null. */
  async function taken(text, patienceMs) {
    const until = performance.now() + patienceMs;
    for (;;) {
      const row = rows().findLast((one) => one.matches('.mine') && part(one, 'text') === text);
      const clientId = row?.dataset.clientId;
      if (row && (row.dataset.state !== 'pending' || (await entries()).some((entry) => entry.clientId === clientId))) {
        return { clientId, isKept: true };
      }
      if (performance.now() > until) return row ? { clientId, isKept: false } : null;
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }

  /** The person's own messages among the latest that the server has, `[[seq, clientId, text], …]`, ascending. */
  async function stored(peerName) {
    const own = [];
    for (let page = 0, before = ''; page < PAGES; page += 1) {
      const address = `/messages/${encodeURIComponent(peerName)}?limit=${PAGE_LENGTH}${before}`;
      const options = { headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(ANSWER_MS) };
      const { messages } = await (await fetch(address, options)).json();
      const mine = messages.filter(({ senderId }) => senderId === Number(document.body.dataset.userId));
      own.unshift(...mine.map(({ seq, clientId, message }) => [seq, clientId, message]));
      if (messages.length < PAGE_LENGTH) break;
      before = `&before=${messages[0].seq}`;
    }
    return own;
  }

  /** From now on nothing that the page sends leaves it. */
  function hold() {
    WebSocket.prototype.send = XMLHttpRequest.prototype.send = () => {};
  }

  const setClock = (seconds) => void (clockOffsetMs = seconds * 1000);

  return { look, entries, stored, taken, hold, setClock };
})();
