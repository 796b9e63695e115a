import { later } from './later.js';

/** Resolves to what an open conversation needs later than at its first view (conversation-more.js). */
export const loadConversationMore = later(() => import('./conversation-more.js'));
