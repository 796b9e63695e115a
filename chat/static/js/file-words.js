/**
 * What stands in a list or a quote in place of a text, for a message that has files and no words: as chat/conversations/file_words.py. And
 * what a row on the page says of its files.
 */

import { gettext, ngettext } from './i18n.js';
import { findAll } from './page.js';

const MAX_ENDING_LENGTH = 5; // characters of a name's ending that is shown as its kind
const ZIP = 'application/zip';
const SHOWN_IMAGES = /^image\/(jpeg|png|gif|webp|avif)$/;
const KINDS = { 'application/pdf': 'PDF', 'image/gif': 'GIF' };

/** Whether a file is shown as an image: those of other types are downloaded, as any file is. The server has checked that it is one. */
export const isImage = ({ type }) => SHOWN_IMAGES.test(type);

const isOf = ({ type = '' }, family) => type.startsWith(`${family}/`);

/** What a file is, for people. The ending of its name is believed here, where it changes nothing. */
export function kindWords(file) {
  if (KINDS[file.type]) return KINDS[file.type];
  if (isImage(file)) return gettext('Photo');
  if (isOf(file, 'audio')) return gettext('Audio');
  if (isOf(file, 'video')) return gettext('Video');
  return endingOf(file.name) || (file.type === ZIP ? 'ZIP' : file.type === 'text/plain' ? gettext('Text') : gettext('File'));
}

const endingOf = (name) => name.match(new RegExp(`.\\.([a-z0-9]{1,${MAX_ENDING_LENGTH}})$`, 'i'))?.[1].toUpperCase() ?? '';

/** `Photo`, `3 files`, or the name of one; empty without any. */
export function filesInWords(files = []) {
  const [file] = files;
  if (!file) return '';
  const areImages = files.every(isImage);
  if (files.length > 1) {
    return areImages ? ngettext('%(num)s photo', '%(num)s photos', files.length) : ngettext('%(num)s file', '%(num)s files', files.length);
  }
  if (isOf(file, 'audio') && file.duration) return gettext('Voice message');
  return areImages || isOf(file, 'video') ? kindWords(file) : file.name;
}

/** The files of a message as its row has them: the server has rendered it, or file-view.js. */
export const filesOf = (row) => findAll('[data-part="file"]', row).map(({ dataset }) => {
  const { fileId, clientId, name, type, size, width, height, alt, duration, preview, animated } = dataset;
  return {
    ...(fileId ? { id: Number(fileId) } : { clientId }), name, type, size: Number(size), ...(width && { width: Number(width), height: Number(height) }),
    ...(alt && { alt }), ...(duration && { duration: Number(duration) }), hasPreview: preview !== undefined, animated: animated !== undefined,
  };
});
