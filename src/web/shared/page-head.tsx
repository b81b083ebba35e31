import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { useLinkState } from './link-state.ts';
import { loadSession, signOut, useSession } from './session.ts';

export interface PageHeadProps {
  readonly page: 'library' | 'inspector';
  /** What is special to the page: its search, its main action. */
  readonly children?: ComponentChildren;
}

/** The head of every page: where one is, where one can go, and whether the service answers. */
export function PageHead({ page, children }: PageHeadProps) {
  const link = useLinkState();
  const { isSignedIn } = useSession();
  useEffect(() => {
    // Refused or not answered: the requests of the page say so.
    loadSession().catch(() => undefined);
  }, []);
  return (
    <header class="page-head">
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <a class="brand" href="./" aria-label="Reelstate, to the library">
        <img src="web/icon.svg" alt="" width="24" height="24" />
        <span>Reelstate</span>
      </a>
      <nav aria-label="Pages">
        <a href="./" aria-current={page === 'library' ? 'page' : undefined}>
          Library
        </a>
        <a href="inspector" aria-current={page === 'inspector' ? 'page' : undefined}>
          Inspector
        </a>
        <a href="docs">API</a>
      </nav>
      <div class="head-tools">{children}</div>
      <p class="link-state" role="status" hidden={link === 'up'}>
        {link === 'up' ? '' : 'The service does not answer. Trying again…'}
      </p>
      {isSignedIn && (
        <button type="button" class="quiet" onClick={() => void signOut()}>
          Sign out
        </button>
      )}
    </header>
  );
}

/** The part after `#` names what is shown, so the link itself is not followed. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
