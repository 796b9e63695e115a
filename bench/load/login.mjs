// One login by the form: get the page with its token, then send username and password.
const TOKEN = /name="csrf-token" content="([^"]+)"/;

export async function logIn(url, username, password) {
  const page = await fetch(`${url}/login`);
  const [, token] = TOKEN.exec(await page.text());
  const answer = await fetch(`${url}/login`, {
    method: 'POST', redirect: 'manual',
    headers: { Cookie: page.headers.get('set-cookie').split(';')[0] },
    body: new URLSearchParams({ username, password, csrf_token: token }),
  });
  if (answer.status !== 302) throw new Error(`login ${answer.status}`);
}
