/** What is asked once before a message is deleted. */

import { fromTemplate } from './page.js';

/** Makes the question. `onEnd()` is called with either answer, after `onConfirm()` where it is yes. */
export function askToDelete({ onConfirm, onEnd }) {
  const question = fromTemplate('confirm-delete-template');
  question.addEventListener('click', ({ target }) => {
    const action = target.closest('[data-action]')?.dataset.action;
    if (action === 'confirm-delete') onConfirm();
    if (action) onEnd();
  });
  return question;
}
