// Reads JSON, {files: [F…], sizes: [bytes…], seconds: […], images: [{width, height}…]}, and prints what the browser says of each.

import { readFileSync } from 'node:fs';

import './fake-page.js';

const { durationWords, shownSize, sizeWords } = await import('../../chat/static/js/file-size.js');
const { filesInWords, kindWords } = await import('../../chat/static/js/file-words.js');

const { files, sizes, seconds, images } = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify({
  kinds: files.map(kindWords), previews: files.map((file) => filesInWords([file])), pairs: files.map((file) => filesInWords([file, file])),
  sizes: sizes.map(sizeWords), seconds: seconds.map(durationWords), images: images.map(shownSize),
}));
