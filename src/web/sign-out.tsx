import { forgetFiles } from './jobs/file-names.ts';
import { usePoll } from './poll.ts';

interface SessionResponse {
  readonly signed_in: boolean;
}

/** Rarely, because a session lasts for hours and its end is noticed anyway. */
const SELDOM_MS = 60_000;

/** Only shown to a user who signed in. */
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
