/** What only some messages have: a quote, reactions. Loaded later (bubble-parts.js). */

import { showQuote } from './quote.js';
import { showReactions } from './reactions.js';

/** Shows those of them that are given. */
export function showExtras(row, { replyTo, reactions }) {
  if (replyTo !== undefined) showQuote(row, replyTo);
  if (reactions) showReactions(row, reactions);
}
