import { Store, useStore } from './store.ts';
import { request, requestJson } from './request.ts';

interface SessionResponse {
  readonly signed_in: boolean;
  readonly key_needed: boolean;
  readonly scopes: readonly string[];
}

export interface Session {
  /** False until the service has responded. */
  readonly isKnown: boolean;
  readonly isSignedIn: boolean;
  readonly mayRead: boolean;
  readonly maySubmit: boolean;
}

/** Until it is known, common actions are not hidden. */
const store = new Store<Session>({ isKnown: false, isSignedIn: false, mayRead: true, maySubmit: true });

/** Requests the scopes of the caller once. A caller without a key is sent to the sign-in page. */
export async function loadSession(): Promise<void> {
  const { signed_in: isSignedIn, key_needed: needsKey, scopes } = await requestJson<SessionResponse>('session');
  if (needsKey) {
    signIn();
    return;
  }
  store.set({ isKnown: true, isSignedIn, mayRead: scopes.includes('read'), maySubmit: scopes.includes('submit') });
}

export function useSession(): Session {
  return useStore(store, (session) => session);
}

/** Goes to the sign-in page and stores the current address. */
export function signIn(): void {
  sessionStorage.setItem('before-sign-in', location.pathname + location.hash);
  location.assign('sign-in');
}

export async function signOut(): Promise<void> {
  await request('session', { method: 'DELETE' });
  location.assign('sign-in');
}
