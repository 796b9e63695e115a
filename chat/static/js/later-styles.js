/**
 * The style sheets that not every first view needs: `later`, of menus, the sheet, the picker, the details, the panel, of paper; `files`, of the files
 * of messages; `formatted`, of their texts. A page that begins with one of them names it in its head.
 */

const loading = new Map(); // name → a promise

/** Resolves when a sheet is there; without it things are plain, but work. */
export function loadStyles(name) {
  if (!loading.has(name)) loading.set(name, new Promise((resolve) => {
    if (document.querySelector(`link[rel="stylesheet"][href$="/build/${name}.css"]`)) return resolve();
    const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: new URL(`../build/${name}.css`, import.meta.url) });
    link.onload = resolve;
    link.onerror = () => {
      link.remove();
      loading.delete(name); // the next one asks for it again
      resolve();
    };
    document.head.append(link);
  }));
  return loading.get(name);
}

export const loadLaterStyles = () => loadStyles('later');
