/** What is needed once a message is changed here, in one file that is loaded then: everything else is on the page without it. */

export { ComposerTask } from './composer-task.js';
export { PendingChanges } from './pending-changes.js';
export { Conflicts, wordsOfRefusal } from './refused-changes.js';
export { Verbs } from './verbs.js';
