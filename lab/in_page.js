/** Runs inside a page for the fault-injection suite: describes the page, moves its clock, blocks its sending. */
globalThis.lab ??= (() => {
  const LIVE_WITHIN_MS = 10_000; // for the page's own script, from the beginning of the load
  const AT_END_PX = 100; // as in scroll-anchor.js
  const ASK_AGAIN_MS = 5;
  const TEXT_LENGTH = 80; // longer than any text of the suite
  const PAGE_LENGTH = 200; // the server's maximum
  const PAGES = 10;
  const ANSWER_MS = 2_000;
  const part = (row, name) => (row.querySelector(`[data-part="${name}"]`)?.textContent ?? '').slice(0, TEXT_LENGTH);
  const rows = () => [...document.querySelectorAll('#history > :is(li.message, li.notice)')];
  let broken = '';
  let clockOffsetMs = 0;

  // If a module fails to load, the page looks right and does nothing.
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

  /** Whether the page's script runs: the composer sets this attribute in its constructor. */
  const isLive = () => document.querySelector('#message')?.hasAttribute('aria-invalid') ?? false;

  function describe() {
    const list = rows().map((row) => [
      Number(row.dataset.seq) || null, row.dataset.clientId, row.matches('.mine'), row.dataset.state, part(row, 'text'),
      row.dataset.state === 'failed' ? part(row, 'failed-text') : '', Number(row.dataset.senderId) || 0,
    ]);
    if (!isLive() && performance.now() > LIVE_WITHIN_MS) broken ||= `not live after ${LIVE_WITHIN_MS / 1000} s`;
    scrollToEnd();
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

  /** Scrolls to the end of the conversation, as its reader would. */
  function scrollToEnd() {
    const scroll = document.querySelector('#history-scroll');
    if (!scroll) return;
    const restPx = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
    if (restPx > AT_END_PX) scroll.scrollTop = scroll.scrollHeight;
  }

  /** The content of the outbox, `[{clientId, message, state, …}]` in the order of writing. Does not create an outbox. */
  function entries() {
    const { promise, resolve, reject } = Promise.withResolvers();
    const opening = indexedDB.open(`outbox:${document.body.dataset.userId}`);
    opening.onupgradeneeded = () => opening.transaction.abort();
    opening.onerror = () => resolve([]);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction('entries');
      const request = transaction.objectStore('entries').getAll();
      transaction.oncomplete = () => resolve(request.result.sort((a, b) => a.createdAt - b.createdAt));
      transaction.onabort = () => reject(transaction.error);
      opening.result.close(); // takes effect after the transaction
    };
    return promise;
  }

  /** Waits until the page has saved a new text in the outbox, or the server has it. Returns `{clientId, isKept}` or null. */
  async function waitUntilSaved(text, patienceMs) {
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

  /** The person's own messages among the latest on the server, `[[seq, clientId, text], …]`, ascending. */
  async function storedMessages(path) {
    const own = [];
    for (let page = 0, before = ''; page < PAGES; page += 1) {
      const address = `${path}?limit=${PAGE_LENGTH}${before}`;
      const options = { headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(ANSWER_MS) };
      const { messages } = await (await fetch(address, options)).json();
      const mine = messages.filter(({ senderId }) => senderId === Number(document.body.dataset.userId));
      own.unshift(...mine.map(({ seq, clientId, message }) => [seq, clientId, message]));
      if (messages.length < PAGE_LENGTH) break;
      before = `&before=${messages[0].seq}`;
    }
    return own;
  }

  /** From now on the page cannot send anything. */
  function blockSending() {
    WebSocket.prototype.send = XMLHttpRequest.prototype.send = () => {};
  }

  const setClock = (seconds) => void (clockOffsetMs = seconds * 1000);

  return { describe, entries, storedMessages, waitUntilSaved, blockSending, setClock };
})();
