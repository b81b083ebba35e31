import { problemOf } from '../shared/problem.ts';

/** Exchanges the key for a cookie, which this page cannot read, and returns to the previous page. */
async function signIn(key: string): Promise<void> {
  const answer = await fetch('session', { method: 'POST', headers: { 'x-api-key': key } });
  if (!answer.ok) throw new Error(await problemOf(answer));
  // Stored by the previous page; only a path of this service.
  const { pathname, hash } = new URL(sessionStorage.getItem('before-sign-in') ?? './', location.href);
  location.replace(pathname + hash);
}

const problem = document.getElementById('problem');
const input = document.getElementById('key');
document.querySelector('form')?.addEventListener('submit', (event) => {
  event.preventDefault();
  if (!(input instanceof HTMLInputElement) || problem === null) return;
  problem.hidden = true;
  signIn(input.value.trim()).catch((error: unknown) => {
    problem.textContent = error instanceof Error ? error.message : 'The service does not respond';
    problem.hidden = false;
    input.select();
  });
});
