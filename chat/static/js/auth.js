/**
 * The forms of login and registration: a password can be shown, a second click sends nothing, and an error leaves the
 * password in its field. The server never sends one back, so the form is sent from here, and its answer put in its place.
 */

const SENDING_MS = 30_000; // then the browser sends it, and says what it waits for

let isSending = false;

hydrate();

function hydrate() {
  const form = document.querySelector('form[data-show]');
  const password = form.querySelector('input[name="password"]');
  const button = document.createElement('input'); // the form's only <button> stays the one that sends it
  button.type = 'button';
  button.className = 'show-password';
  button.setAttribute('aria-controls', password.id);
  const show = (isShown) => {
    password.type = isShown ? 'text' : 'password';
    button.value = isShown ? form.dataset.hide : form.dataset.show;
  };
  show(false);
  button.addEventListener('click', () => show(password.type === 'password'));

  const frame = document.createElement('div');
  frame.className = 'password';
  password.replaceWith(frame);
  frame.append(password, button);
  form.querySelector('[autofocus]')?.focus(); // it may have been taken out of the page for a moment

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (isSending) return;
    isSending = true;
    form.ariaBusy = 'true';
    show(false); // what is sent is remembered as a password
    await send(form, password).catch(() => form.submit()); // without a network the browser says so
    isSending = false;
    form.ariaBusy = null;
  });
}

/** Sends the form. Its answer leads on, or is the page again, with what is wrong. */
async function send(form, password) {
  const answer = await fetch(form.action, {
    method: 'POST', body: new URLSearchParams(new FormData(form)), redirect: 'manual', headers: { Accept: 'text/html' },
    signal: AbortSignal.timeout(SENDING_MS),
  });
  if (answer.type === 'opaqueredirect') { // logged in: the login page leads on
    location.assign(`/login?next=${encodeURIComponent(form.elements.next.value || '/')}`);
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  if (!page.querySelector('form[data-show]')) {
    form.submit(); // an error of another kind has a page of its own
    return;
  }
  document.querySelector('.card').replaceWith(page.querySelector('.card'));
  document.querySelector('input[name="password"]').value = password.value;
  hydrate();
}
