/** What files need besides the first view, in one file: how they are drawn, and how they are chosen. Loaded later, before a network may be gone. */

export { Attachments } from './attachments.js';
export { releaseGone, showContents, showFiles, showUpload } from './file-view.js';
