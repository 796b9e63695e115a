/**
 * Resolves with the person's first key or press. What only a gesture asks for is loaded then: not with the first view,
 * and before it is needed, so that it is there even if the network is not.
 */
export const firstGesture = new Promise((resolve) => {
  for (const type of ['pointerdown', 'keydown']) addEventListener(type, resolve, { once: true, capture: true });
});
