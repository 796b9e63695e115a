/** What is done with files that are on the page: an image is opened, a recording is played, an animation moves while somebody looks at it. */

import { toggleSound } from './audio-player.js';
import { find } from './page.js';
import { openViewer } from './viewer.js';

export const pressed = (target) => (target.matches('.image') ? openViewer(target) : toggleSound(target.closest('.audio')));

/** With reduced motion an animation stands still, but under the pointer and with the focus (files.js). */
export function setMoving(image, isMoving) {
  const still = find('source', image);
  if (still) still.media = isMoving ? 'not all' : '(prefers-reduced-motion: reduce)';
}

for (const type of ['pointerout', 'focusout']) {
  document.addEventListener(type, ({ target, relatedTarget }) => {
    const image = target.closest?.('.image[data-animated]');
    if (image && !image.contains(relatedTarget)) setMoving(image, false);
  });
}
