import { problemOf } from '../problem.ts';

/** Exchanges the key for a cookie, which this page cannot read, and goes back to where the user came from. */
async function signIn(key: string): Promise<void> {
  const answer = await fetch('session', { method: 'POST', headers: { 'x-api-key': key } });
  if (!answer.ok) throw new Error(await problemOf(answer));
  // Kept by the page that sent the user here; a path of this service and nothing else.
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
    problem.textContent = error instanceof Error ? error.message : 'The service does not answer';
    problem.hidden = false;
    input.select();
  });
});
