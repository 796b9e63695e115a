/**
 * The files in the bubble of a message, from the templates that the server's own pages are made of: of a message that the server
 * has, and of one in the outbox, whose contents are in this browser. The same elements become those of the stored message.
 */

import { durationWords, filledSide, progressWords, shownSize, sizeWords } from './file-size.js';
import { isImage as isShownImage, kindWords } from './file-words.js';
import { gettext } from './i18n.js';
import { loadLaterStyles } from './later-styles.js';
import { find, findAll, fromTemplate, part, setText } from './page.js';
import { stillOf } from './still.js';

const RELEASED_MS = 60_000; // by then nobody is given the files of a message that was deleted
const MAX_SHOWN = 4; // images of a message; the fourth says how many more there are
const PLAYED = /^(audio|video)\/(mpeg|aac|flac|wav|ogg|mp4|webm|quicktime)$/; // what the server shows; everything else is a tile

const urls = new Map(); // element → the blob URL that it shows, until the server's has come or the element has left
const isImage = (file) => Boolean(file.width) && (Boolean(file.id) || isShownImage(file));

/**
 * Shows the files of a message. `blobOf(clientId)` gives the contents of one that is not stored yet. A message that was read from
 * the page says nothing of its files: they stay.
 */
export function showFiles(row, { files, deleted = false, message }) {
  const known = part(row, 'files');
  if (deleted) return known && forget(row, known);
  if (files && !files.length) return remove(row, known);
  if (!files) return;
  row.dataset.files = !message && files.every(isImage) ? 'images' : 'mixed';
  const elements = known ? findAll('[data-part="file"]', known) : [];
  const ordered = [...files.filter(isImage), ...files.filter((file) => !isImage(file))];
  const isSame = elements.length === files.length && ordered.every((file, index) => isOf(elements[index], file));
  if (files[0].id) part(row, 'upload')?.remove();
  if (isSame) return ordered.forEach((file, index) => file.id && setStored(elements[index], file));
  if (known) remove(row, known);
  row.dataset.files = !message && files.every(isImage) ? 'images' : 'mixed';
  const box = fill(fromTemplate('files-template'), ordered);
  (part(row, 'quote') ?? part(row, 'sender')).after(box);
}

/** Whether an element is that of a file, or of what the file was in the outbox. */
function isOf({ dataset, className }, file) {
  if (isImage(file) !== (className === 'image')) return false;
  return dataset.fileId ? Number(dataset.fileId) === file.id : Boolean(file.id) || dataset.clientId === file.clientId;
}

function fill(box, files) {
  const images = files.filter(isImage);
  if (images.length) {
    const gallery = Object.assign(document.createElement('div'), { className: 'gallery' });
    gallery.dataset.count = Math.min(images.length, MAX_SHOWN);
    gallery.append(...images.map(makeFile));
    if (images.length > MAX_SHOWN) gallery.children[MAX_SHOWN - 1].dataset.behind = `+${images.length - MAX_SHOWN}`;
    box.append(gallery);
  }
  box.append(...files.filter((file) => !isImage(file)).map(makeFile));
  return box;
}

function templateOf(file) {
  if (isImage(file)) return 'image-file-template';
  const [, family] = file.type.match(PLAYED) ?? [];
  return family ? `${family}-file-template` : 'file-tile-template';
}

function makeFile(file) {
  const element = fromTemplate(templateOf(file));
  const { id, name, type, size, width, height, alt, duration, clientId } = file;
  Object.assign(element.dataset, { name, type, size, ...(clientId && { clientId }) });
  if (duration) element.dataset.duration = duration;
  if (duration) setText(part(element, 'audio-time'), durationWords(duration));
  if (alt) element.dataset.alt = alt;
  const image = find('img', element);
  if (image) {
    Object.assign(element.dataset, { width, height });
    [image.width, image.height] = shownSize(file);
    if (filledSide(file)) element.dataset.fills = filledSide(file);
  }
  const label = alt || name;
  if (image) image.alt = label;
  else (find('audio, video', element) ?? element).ariaLabel = label;
  if (element.matches('.audio')) element.ariaLabel = label;
  setText(part(element, 'file-name'), name);
  setText(part(element, 'file-about'), `${kindWords(file)} · ${sizeWords(size)}`);
  if (id) setStored(element, file);
  return element;
}

/** Gives an element the addresses of a file that the server has. What it shows from this browser gives way when that has come. */
function setStored(element, { id, alt, animated, hasPreview, duration, width, height }) {
  if (element.dataset.fileId === String(id)) return;
  Object.assign(element.dataset, { fileId: id, ...(alt && { alt }), ...(duration && { duration }) });
  element.toggleAttribute('data-animated', Boolean(animated));
  element.toggleAttribute('data-preview', Boolean(hasPreview));
  const url = `/files/${id}`;
  const [image, player, download, link] = [find('img', element), find('audio, video', element), part(element, 'file-download'), part(element, 'file-link')];
  if (image) {
    element.href = url;
    Object.assign(element.dataset, { width, height });
    showImage(element, image, hasPreview && !animated ? `${url}/preview` : url);
    if (animated && hasPreview) find('picture', element).prepend(Object.assign(document.createElement('source'), { media: '(prefers-reduced-motion: reduce)', srcset: `${url}/preview` }));
  }
  if (player) {
    release(element);
    player.src = url;
  }
  if (download) Object.assign(download, { href: `${url}?download`, ariaLabel: gettext('Download %(name)s', { name: element.dataset.name }) });
  if (link) link.href = element.dataset.type === 'application/pdf' ? url : `${url}?download`;
  if (link?.href.endsWith(String(id))) Object.assign(link, { target: '_blank', rel: 'noopener' });
}

async function showImage(element, image, url) {
  if (!urls.has(element)) return void (image.src = url);
  const fresh = Object.assign(new Image(), { src: url });
  await fresh.decode().catch(() => {});
  image.src = url;
  release(element);
}

function release(element) {
  URL.revokeObjectURL(urls.get(element));
  urls.delete(element);
}

/** Gives up what elements showed that have left the page. */
export function releaseGone() {
  for (const element of urls.keys()) if (!element.isConnected) release(element);
}

function remove(row, box) {
  box?.remove();
  delete row.dataset.files;
  releaseGone();
}

/** Shows the contents of files that wait in the outbox; `blobOf(clientId)` resolves to one. */
export async function showContents(row, blobOf) {
  releaseGone();
  for (const element of findAll('[data-part="file"][data-client-id]', row)) {
    const media = find('img, audio, video', element);
    if (!media || media.src || element.dataset.fileId) continue;
    const blob = await blobOf(element.dataset.clientId).then((content) => content && stillOf(content)).catch(() => null);
    if (!blob || media.src || !row.isConnected) continue;
    urls.set(element, URL.createObjectURL(blob));
    media.src = urls.get(element);
  }
}

/** Shows in the row of an entry how much of its files is there; without an entry, that nothing is being uploaded. */
export function showUpload(row, entry, loaded = 0) {
  const files = part(row, 'files');
  const known = part(row, 'upload');
  if (!entry || !files) return known?.remove();
  if (!known) {
    loadLaterStyles();
    files.append(fromTemplate('upload-template'));
  }
  if (!loaded && known) return;
  const total = entry.files.reduce((bytes, { size }) => bytes + size, 0);
  setText(part(row, 'upload-words'), progressWords(loaded, total));
  find('.upload-ring', row).style.setProperty('--done', String(Math.round((100 * loaded) / Math.max(1, total))));
}

/**
 * The message is deleted everywhere: its files are no longer on the page, nor in the browser's cache, where the answer that there are none
 * takes their place. Who has sent them is given them a moment longer, so this browser asks again.
 */
function forget(row, box) {
  const { seq } = row.dataset;
  const urlsOf = ({ dataset }) => [`/files/${dataset.fileId}`, ...(dataset.width ? [`/files/${dataset.fileId}/preview`] : [])];
  const gone = findAll('[data-part="file"][data-file-id]', box).flatMap(urlsOf);
  remove(row, box);
  findAll(`#shared [data-seq="${seq}"]`).forEach((item) => item.remove());
  const replace = () => gone.forEach((url) => fetch(url, { cache: 'reload' }).then((response) => response.body?.cancel(), () => {}));
  replace();
  if (row.matches('.mine')) setTimeout(replace, RELEASED_MS);
}
