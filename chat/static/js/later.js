/**
 * Loads what the first view does not need: at the first key, press or turn of the wheel, else SHOWN_MS after the start. So a part is
 * there before it is needed, even if the network has gone by then. An action that needs a part sooner loads it at once, and waits for it.
 */

const SHOWN_MS = 2_000; // by then the page has been shown

/** Resolves when it is time to load what is loaded later. */
export const due = new Promise((resolve) => {
  for (const type of ['pointerdown', 'keydown', 'wheel']) addEventListener(type, resolve, { once: true, capture: true, passive: true });
  setTimeout(resolve, SHOWN_MS);
});

/** Returns `load`, which is called once, when it is needed or due. Where it fails, the next one who needs it calls it again. */
export function later(load) {
  let loading = null;
  const get = () => {
    loading ??= load().catch((error) => {
      loading = null;
      throw error;
    });
    return loading;
  };
  due.then(get).catch(() => {});
  return get;
}
