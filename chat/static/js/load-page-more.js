import { later } from './later.js';

/** Resolves to what every page needs later than at its first view (page-more.js). */
export const loadPageMore = later(() => import('./page-more.js'));
