/**
 * What is not part of the first view is loaded later: at the first key or press, else when the page has been shown, so that it is there
 * before it is needed even if the network is not by then. Where it is needed sooner, what was done waits for it.
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
