/** The style sheet of what a first view does not show: menus, the sheet, the picker, the details, the panel. */

let loading = null;

/** Resolves when it is there; without it things are plain, but work. */
export function loadLaterStyles() {
  loading ??= new Promise((resolve) => {
    if (document.querySelector('link[rel="stylesheet"][href$="/build/later.css"]')) return resolve();
    const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: new URL('../build/later.css', import.meta.url) });
    link.onload = resolve;
    link.onerror = () => {
      link.remove();
      loading = null; // the next one asks for it again
      resolve();
    };
    document.head.append(link);
  });
  return loading;
}
