/** Dragging a sheet down with a finger: far enough, and it is closed. */

const MIN_MOVE_PX = 8; // less is a tap
const CLOSING_PX = 80;

/** Calls `onDragged()` where `card` was dragged so far; less leaves it where it was. */
export function addDragDown(card, onDragged, signal) {
  let from = null; // y where the finger came down
  let distance = 0; // px
  const move = (px) => {
    distance = Math.max(0, px);
    card.style.translate = distance ? `0 ${distance}px` : '';
  };
  card.addEventListener('pointerdown', ({ pointerType, clientY, target }) => {
    const scrolled = target.closest('[data-part="emoji"]') ?? card;
    if (pointerType !== 'mouse' && scrolled.scrollHeight <= scrolled.clientHeight) from = clientY;
  }, { signal });
  card.addEventListener('pointermove', ({ pointerId, clientY }) => {
    if (from === null || (!distance && clientY - from < MIN_MOVE_PX)) return;
    card.setPointerCapture(pointerId); // no click where it ends
    move(clientY - from);
  }, { signal });
  const end = () => {
    from = null;
    if (distance > CLOSING_PX) onDragged();
    else move(0);
  };
  card.addEventListener('pointerup', end, { signal });
  card.addEventListener('pointercancel', end, { signal });
}
