/**
 * The forms of login and registration: a password can be shown, a second click sends nothing, and an error leaves the
 * password in its field. The server never sends a password back. So the form is sent by a request of this script, which
 * puts the answer in its place and the password into it.
 */

const SEND_TIMEOUT_MS = 30_000; // then the browser itself sends the form

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
  form.querySelector('[autofocus]')?.focus(); // an element that is moved loses the focus

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (isSending) return;
    isSending = true;
    form.ariaBusy = 'true';
    show(false); // browsers offer to remember what is in a field of type password
    await submit(form, password).catch(() => form.submit()); // if there is no network, the browser shows its own page
    isSending = false;
    form.ariaBusy = null;
  });
}

/** Submits the form. The answer is a redirect, or the form again with what is wrong in it. */
async function submit(form, password) {
  const answer = await fetch(form.action, {
    method: 'POST', body: new URLSearchParams(new FormData(form)), redirect: 'manual', headers: { Accept: 'text/html' },
    signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
  });
  if (answer.type === 'opaqueredirect') { // logged in: now the login page redirects to `next`
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
