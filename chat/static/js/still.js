/**
 * If the reader prefers reduced motion, an animated image shows its first frame. The server does that for stored files; this does it for
 * files that are not uploaded yet.
 */

const MAY_MOVE = /^image\/(gif|webp|png|avif)$/;

export const wantsStillness = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Resolves to what is shown of a blob: its first picture where less motion is wanted, else the blob itself. */
export async function stillOf(blob) {
  if (!wantsStillness() || !MAY_MOVE.test(blob.type)) return blob;
  const bitmap = await createImageBitmap(blob).catch(() => null);
  if (!bitmap) return blob; // it cannot be shown in any way
  const canvas = Object.assign(document.createElement('canvas'), { width: bitmap.width, height: bitmap.height });
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  bitmap.close();
  return new Promise((resolve) => canvas.toBlob((still) => resolve(still ?? blob)));
}

/** Shows the animation `url` in an image: it moves under the pointer alone. `signal` says when it is shown no more. */
export async function showStill(image, url, signal) {
  const response = await fetch(url, { signal }).catch(() => null);
  const blob = response?.ok ? await response.blob().then(stillOf).catch(() => null) : null; // what says why not is no picture
  if (!blob || signal.aborted) return;
  const still = URL.createObjectURL(blob);
  signal.addEventListener('abort', () => URL.revokeObjectURL(still));
  image.src = image.matches(':hover') ? url : still;
  image.addEventListener('pointerenter', () => { image.src = url; });
  image.addEventListener('pointerleave', () => { image.src = still; });
}
