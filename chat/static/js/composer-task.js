/** What the field is for, if not for a new message: a message that is edited or answered. A card above the field says so. */

import { showNotice } from './banner.js';
import { gettext } from './i18n.js';
import { find, fromTemplate, isComposing, me, part, setText } from './page.js';
import { shortWords } from './text.js';

export class ComposerTask {
  setAside = null; // the draft, while a message is edited
  #ending = new AbortController();

  /** `kind` is 'edit' or 'reply'; `edited(text)` takes the text of an edit. `card` is there if the server has rendered it. */
  constructor(composer, { kind, message, edited, card = makeCard(kind, message) }) {
    composer.task?.end();
    Object.assign(this, { composer, kind, message, edited, card });
    const { form, field } = composer;
    const { signal } = this.#ending;
    find('[data-action="close"]', card).addEventListener('click', (event) => {
      event.preventDefault(); // without JavaScript it is a link
      this.#leave();
    }, { signal });
    form.parentElement.addEventListener('keydown', (event) => this.#pressed(event), { signal });
    if (!card.isConnected) form.before(card);
    form.dataset.task = card.dataset.kind = kind;
    if (kind === 'edit') {
      this.setAside = field.value;
      composer.show(message.message);
    }
    composer.task = this;
    composer.focus();
  }

  get isEdit() {
    return this.kind === 'edit';
  }

  /** How an entry of the outbox names the message that is answered; null if none is. */
  get replyTo() {
    const { seq, clientId } = this.message;
    return this.isEdit ? null : seq ? { seq } : { clientId };
  }

  submit(text) {
    if (text !== this.message.message) this.edited(text);
  }

  /** From now on the field is for a new message again. */
  end() {
    const { composer } = this;
    this.#ending.abort();
    this.card.remove();
    composer.form.elements.replyTo?.remove(); // the server's, for those without JavaScript
    delete composer.form.dataset.task;
    composer.task = null;
    if (this.isEdit) composer.show(this.setAside);
  }

  #leave() {
    this.end();
    this.composer.focus();
  }

  #pressed(event) {
    if (event.key !== 'Escape' || isComposing(event) || event.defaultPrevented) return;
    event.preventDefault();
    this.#leave();
  }

  /** Shows what has become of the message. A text that was deleted is edited no more: what was typed is a draft from then on. */
  messageChanged(message) {
    if (message.seq !== this.message.seq) return;
    if (!this.isEdit) return showMessage(this.card, message);
    if (!message.deleted) return; // the server will say so
    const typed = this.composer.field.value;
    const isTyped = typed !== this.message.message; // else it is the text that was deleted
    this.end();
    if (isTyped) this.composer.append(typed);
    showNotice(isTyped ? gettext('The message was deleted meanwhile. What you wrote is in the field.') : gettext('The message was deleted meanwhile.'));
  }
}

function makeCard(kind, message) {
  const card = fromTemplate('composer-card-template');
  setText(part(card, 'card-title'), kind === 'edit' ? gettext('Edit message') : replyTitle(message));
  showMessage(card, message);
  return card;
}

const replyTitle = ({ sender, senderId }) => (senderId === me.id ? gettext('Reply to yourself') : gettext('Reply to %(name)s', { name: sender }));

const showMessage = (card, message) => setText(part(card, 'card-text'), shortWords(message));
