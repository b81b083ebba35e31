import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { useLinkState } from './link-state.ts';
import { loadSession, signOut, useSession } from './session.ts';

export interface PageHeadProps {
  readonly page: 'library' | 'inspector';
  /** Special content of the page: its search, its main action. */
  readonly children?: ComponentChildren;
}

/** The head of every page: the current page, links to others, and whether the service responds. */
export function PageHead({ page, children }: PageHeadProps) {
  const link = useLinkState();
  const { isSignedIn } = useSession();
  useEffect(() => {
    // Errors are shown by the requests of the page.
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
        {link === 'up' ? '' : 'The service does not respond. Trying again…'}
      </p>
      {isSignedIn && (
        <button type="button" class="quiet" onClick={() => void signOut()}>
          Sign out
        </button>
      )}
    </header>
  );
}

/** The part after `#` is the state of the page, so the link itself is not followed. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
