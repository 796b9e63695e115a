/**
 * The images of a conversation, one at a time over everything. It is a modal dialog: Esc, Back and a press beside the image close it,
 * arrow keys and swipes lead on, and the focus returns to the image that was opened.
 */

import { formatNumber, gettext } from './i18n.js';
import { loadLaterStyles } from './later-styles.js';
import { find, findAll, fromTemplate, part, setText } from './page.js';
import { showStill, wantsStillness } from './still.js';

const MIN_SWIPE_PX = 50;
const IMAGES = '.image[href]:not([data-deleted], .image-more)';

export async function openViewer(image) {
  await loadLaterStyles();
  if (image.isConnected) new Viewer(image);
}

class Viewer {
  #ended = new AbortController();
  #shown; // aborted when another image is shown
  #start = null; // where a finger came down: {id, x, y}

  constructor(image) {
    this.opener = this.image = image;
    this.place = image.closest('#history, #shared, main');
    this.dialog = fromTemplate('viewer-template');
    this.stage = part(this.dialog, 'viewer-stage');
    this.#listen();
    document.body.append(this.dialog);
    this.dialog.showModal();
    history.pushState({ ...history.state, isViewer: true }, ''); // Back closes it, and leaves the page as it is
    this.#show();
  }

  #listen() {
    const { dialog, stage } = this;
    const { signal } = this.#ended;
    dialog.addEventListener('close', () => this.#closed(), { signal });
    dialog.addEventListener('keydown', (event) => this.#pressed(event), { signal });
    dialog.addEventListener('click', (event) => this.#clicked(event), { signal });
    stage.addEventListener('pointerdown', (event) => this.#down(event), { signal });
    stage.addEventListener('pointerup', (event) => this.#up(event), { signal });
    stage.addEventListener('pointercancel', () => { this.#start = null; }, { signal });
    addEventListener('popstate', () => dialog.close(), { signal });
    // A message with images may be deleted meanwhile: they are nowhere then, here neither.
    const watching = new MutationObserver(() => this.image.isConnected || this.#leaveGone());
    watching.observe(document.body, { childList: true, subtree: true });
    signal.addEventListener('abort', () => watching.disconnect());
  }

  get #images() {
    return findAll(IMAGES, this.place);
  }

  #neighbour(step) {
    const images = this.#images;
    return images[images.indexOf(this.image) + step];
  }

  #show() {
    const { image, dialog } = this;
    const images = this.#images;
    const { name, width, height, alt = '' } = image.dataset;
    const shown = Object.assign(new Image(width, height), { alt: alt || name, draggable: false });
    this.#shown?.abort();
    this.#shown = new AbortController();
    if (image.dataset.animated !== undefined && wantsStillness()) showStill(shown, image.href, this.#shown.signal);
    else shown.src = image.href;
    this.stage.replaceChildren(shown);
    this.#zoom(false);
    setText(part(dialog, 'viewer-name'), name);
    const place = { number: formatNumber(images.indexOf(image) + 1), count: formatNumber(images.length) };
    setText(part(dialog, 'viewer-place'), images.length > 1 ? gettext('%(number)s of %(count)s', place) : '');
    setText(part(dialog, 'viewer-alt'), alt);
    find('[data-action="download"]', dialog).href = `${image.href}?download`;
    for (const [action, step] of [['previous', -1], ['next', 1]]) {
      const button = find(`[data-action="${action}"]`, dialog);
      const isThere = Boolean(this.#neighbour(step));
      if (!isThere && document.activeElement === button) find('[data-action="close"]', dialog).focus();
      button.hidden = !isThere;
    }
    this.#preload();
  }

  /** The neighbours come while one is looked at. */
  #preload() {
    this.preloaded = [-1, 1].map((step) => this.#neighbour(step)).filter(Boolean).map(({ href }) => Object.assign(new Image(), { src: href }));
  }

  #go(step) {
    const next = this.#neighbour(step);
    if (!next) return;
    this.image = next;
    this.#show();
  }

  #zoom(isZoomed) {
    this.dialog.toggleAttribute('data-zoomed', isZoomed);
    find('[data-action="zoom"]', this.dialog).ariaPressed = String(isZoomed);
    this.stage.tabIndex = isZoomed ? 0 : -1; // arrow keys scroll it
  }

  get #isZoomed() {
    return this.dialog.hasAttribute('data-zoomed');
  }

  #pressed(event) {
    event.stopPropagation(); // the keys of the page (keyboard.js) do nothing meanwhile
    const { key, altKey, ctrlKey, metaKey } = event;
    if (altKey || ctrlKey || metaKey) return;
    const isRtl = document.documentElement.dir === 'rtl';
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (step && !this.#isZoomed) this.#go(isRtl ? -step : step);
    else if (key === '+' || key === '-') this.#zoom(key === '+');
    else return;
    event.preventDefault();
  }

  #clicked({ target }) {
    const action = target.closest('[data-action]')?.dataset.action;
    if (action === 'previous') this.#go(-1);
    if (action === 'next') this.#go(1);
    if (action === 'zoom') this.#zoom(!this.#isZoomed);
    if (action === 'close' || target === this.stage) this.dialog.close();
  }

  #down({ pointerId, isPrimary, pointerType, clientX: x, clientY: y }) {
    const isZoomed = this.#isZoomed || visualViewport.scale > 1; // then a finger moves the image
    this.#start = isPrimary && pointerType !== 'mouse' && !isZoomed ? { pointerId, x, y } : null;
  }

  #up({ pointerId, clientX, clientY }) {
    const start = this.#start;
    this.#start = null;
    if (start?.pointerId !== pointerId) return;
    const [x, y] = [clientX - start.x, clientY - start.y];
    const isRtl = document.documentElement.dir === 'rtl';
    if (Math.abs(x) > MIN_SWIPE_PX && Math.abs(x) > Math.abs(y)) this.#go((x < 0) === isRtl ? -1 : 1);
    else if (y > 2 * MIN_SWIPE_PX) this.dialog.close();
  }

  #leaveGone() {
    const next = this.place.isConnected && this.#images[0]; // nothing is left of a conversation that was left
    if (!next) return this.dialog.close();
    this.image = next;
    this.#show();
  }

  #closed() {
    this.#ended.abort();
    this.#shown.abort();
    this.dialog.remove();
    if (history.state?.isViewer) history.back();
    const to = this.image.isConnected ? this.image : this.opener;
    (to.isConnected ? to : find('#history'))?.focus({ preventScroll: true });
  }
}
