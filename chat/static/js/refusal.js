/** Why the server has refused a connection. */

import { gettext } from './i18n.js';

/** The words for the status of its answer. */
export function refusalWords(status) {
  if (status !== 401 && status !== 429) return gettext('The server refused the connection. Reload the page.');
  return gettext('Too many people are connected from your network. This page will reconnect automatically.');
}
