/**
 * One draft in all tabs of a person. What is written in one is stored with every key, and shows in the others; where it is sent, it goes from
 * all of them. A tab in which somebody is writing waits for a pause.
 *
 * Where two tabs are written in at once, what was stored last is the draft. The tab that stored it has not shown the other text: so it offers
 * that one, above the field, until it is taken, put away or sent.
 */

import { replaceText, showText } from './field-text.js';
import { fromTemplate, part, setText } from './page.js';
import { shortened } from './text.js';

const PAUSE_MS = 800; // without a key for so long, nobody is writing

export class DraftSync {
  #typedAt = -Infinity;
  #timer;
  #unseen = ''; // the text of another tab that this one has written over
  #offer = null; // the card with it

  /** `composer` has the field and the draft. `signal` ends it. */
  constructor(composer, signal) {
    this.composer = composer;
    const { field, draft } = composer;
    field.addEventListener('input', () => this.#typed(), { signal, capture: true }); // before the composer stores it
    addEventListener('storage', ({ key, newValue }) => key === draft.key && this.#stored(newValue ?? ''), { signal });
    composer.form.addEventListener('submit', () => this.#lookLater(), { signal }); // another tab may have changed what was sent
    document.addEventListener('visibilitychange', () => this.#look(), { signal }); // a page that slept was told nothing
    signal.addEventListener('abort', () => clearTimeout(this.#timer));
    this.#writtenOver(composer.earlierDraft);
    this.#look();
  }

  get #isTyping() {
    return performance.now() - this.#typedAt < PAUSE_MS;
  }

  #typed() {
    const { draft } = this.composer;
    this.#typedAt = performance.now();
    if (draft.text !== draft.known) this.#writtenOver(draft.text);
    this.#lookLater();
  }

  /** Another tab has stored a text. If this one has stored its own at the same time, that is the draft. */
  #stored(text) {
    const { draft, draftText } = this.composer;
    if (this.#isTyping && draft.text === draftText) this.#writtenOver(text);
    this.#look();
  }

  #writtenOver(text) {
    if (text && !this.composer.draftText.includes(text)) this.#unseen = text;
  }

  #lookLater() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), PAUSE_MS);
  }

  /** Shows the draft as it is stored, when nobody is writing here and nothing that was sent is still there. */
  #look() {
    if (this.#isTyping || this.composer.storing) return this.#lookLater();
    const { composer } = this;
    const { text } = composer.draft;
    composer.draft.known = text;
    if (text !== composer.draftText) composer.takeDraft(text, showText);
    if (this.#unseen && !text.includes(this.#unseen)) this.#offerText(this.#unseen);
    this.#unseen = '';
  }

  /** Offers a text above the field. What it replaces there is offered in its place. */
  #offerText(text) {
    this.#offer?.remove();
    const card = this.#offer = fromTemplate('draft-offer-template');
    setText(part(card, 'card-text'), shortened(text));
    card.addEventListener('click', ({ target }) => {
      const action = target.closest('[data-action]')?.dataset.action;
      if (!action) return;
      const { draftText } = this.composer;
      card.remove();
      if (action === 'take') this.#take(text);
      if (action === 'take' && draftText.trim()) this.#offerText(draftText);
      this.composer.focus();
    });
    this.composer.form.before(card);
    this.composer.on.say(part(card, 'card-title').textContent);
  }

  #take(text) {
    const { composer } = this;
    const { field } = composer;
    if (!composer.task?.isEdit) return replaceText(field, 0, field.value.length, text);
    composer.takeDraft(text);
    composer.saveDraft();
  }
}
