import { forgetFiles } from './jobs/file-names.ts';
import { usePoll } from './poll.ts';

interface SessionResponse {
  readonly signed_in: boolean;
}

/** Seldom: a session lasts for hours, and its end shows by itself. */
const SELDOM_MS = 60_000;

/** There only for who signed in. */
export function SignOut() {
  const { data } = usePoll<SessionResponse>('session', SELDOM_MS);
  if (data?.signed_in !== true) return null;
  return (
    <button
      class="button"
      type="button"
      onClick={() => {
        forgetFiles();
        void fetch('session', { method: 'DELETE' }).then(() => location.assign('sign-in'));
      }}
    >
      Sign out
    </button>
  );
}
