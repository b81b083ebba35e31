import { SignOut } from './sign-out.tsx';

export interface PageHeadProps {
  readonly page: 'console' | 'inspector';
  /** Why the service cannot be asked now. */
  readonly problem?: string | undefined;
}

export function PageHead({ page, problem }: PageHeadProps) {
  return (
    <header class="page-head">
      <a class="brand" href="/" aria-label="Reelstate, to the console">
        <img src="/web/icon.svg" alt="" width="22" height="22" />
        Reelstate
      </a>
      <nav aria-label="Pages">
        <a href="/" aria-current={page === 'console' ? 'page' : undefined}>
          Console
        </a>
        <a href="/inspector" aria-current={page === 'inspector' ? 'page' : undefined}>
          Inspector
        </a>
      </nav>
      <span class={problem === undefined ? 'link-state' : 'link-state is-broken'} role="status">
        {problem ?? 'connected'}
      </span>
      <SignOut />
    </header>
  );
}
