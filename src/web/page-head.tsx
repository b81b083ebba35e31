import { useLinkState } from './link-state.ts';
import { SignOut } from './sign-out.tsx';

export function PageHead({ page }: { readonly page: 'console' | 'inspector' }) {
  const link = useLinkState();
  return (
    <header class="page-head">
      <a class="brand" href="./" aria-label="Reelstate, to the console">
        <img src="web/icon.svg" alt="" width="22" height="22" />
        Reelstate
      </a>
      <nav aria-label="Pages">
        <a href="./" aria-current={page === 'console' ? 'page' : undefined}>
          Console
        </a>
        <a href="inspector" aria-current={page === 'inspector' ? 'page' : undefined}>
          Inspector
        </a>
      </nav>
      <span class={link === 'up' ? 'link-state' : 'link-state is-broken'} role="status">
        {link === 'up' ? 'connected' : 'The service does not answer'}
      </span>
      <SignOut />
    </header>
  );
}
