import { Icon } from '../shared/icon.tsx';
import { routeHash } from '../shared/route-hash.ts';
import { useStore } from '../shared/store.ts';
import { formatBytes } from './bytes.ts';
import type { UploadItem } from './upload-queue.ts';
import { uploads } from './uploads.ts';

/** The current uploads, in a corner of the page. */
export function UploadTray() {
  const items = useStore(uploads.store, (state) => state.items);
  if (items.length === 0) return null;
  const isBusy = items.some(({ state }) => ['sending', 'waiting', 'paused', 'broken'].includes(state));
  const done = items.filter(({ state }) => state === 'accepted').length;
  return (
    <section class="upload-tray" aria-labelledby="tray-title">
      <div class="tray-head">
        <div role="status">
          <h2 id="tray-title">{done === items.length ? 'All uploaded' : `${done} of ${items.length} uploaded`}</h2>
        </div>
        {!isBusy && (
          <button type="button" class="quiet icon-only" aria-label="Close the list" onClick={() => uploads.clear()}>
            <Icon name="close" />
          </button>
        )}
      </div>
      <ul>
        {items.map((item) => (
          <Row key={item.key} item={item} />
        ))}
      </ul>
    </section>
  );
}

function Row({ item: { key, file, state, sentBytes, jobId, reason } }: { readonly item: UploadItem }) {
  const isActive = state === 'sending' || state === 'waiting';
  return (
    <li class="tray-row" data-upload={state}>
      <bdi class="tray-name">{file.name}</bdi>
      <span class="tray-actions">
        {isActive && <Action label="Pause" icon="pause" name={file.name} onClick={() => uploads.pause(key)} />}
        {state === 'paused' && (
          <Action label="Resume" icon="play" name={file.name} onClick={() => uploads.resume(key)} />
        )}
        {(state === 'refused' || state === 'cancelled' || state === 'broken') && (
          <Action label="Retry" icon="retry" name={file.name} onClick={() => uploads.resume(key)} />
        )}
        {(isActive || state === 'paused' || state === 'broken') && (
          <Action label="Cancel" icon="close" name={file.name} onClick={() => uploads.cancel(key)} />
        )}
        {jobId !== null && <a href={`./${routeHash({ jobId })}`}>Open</a>}
      </span>
      {state === 'sending' && <progress aria-label={`Sent of ${file.name}`} max={file.size} value={sentBytes} />}
      <p class={state === 'refused' ? 'tray-state is-failed' : 'tray-state'}>
        {wordsOf(state, file.size, sentBytes, reason)}
      </p>
    </li>
  );
}

interface ActionProps {
  readonly label: string;
  readonly icon: 'pause' | 'play' | 'retry' | 'close';
  readonly name: string;
  readonly onClick: () => void;
}

function Action({ label, icon, name, onClick }: ActionProps) {
  return (
    <button type="button" class="quiet icon-only" aria-label={`${label} ${name}`} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

function wordsOf(state: UploadItem['state'], size: number, sentBytes: number, reason: string | null): string {
  switch (state) {
    case 'waiting':
      return 'Waits for the others';
    case 'sending':
      return sentBytes >= size
        ? 'Sent. The service is storing it…'
        : `${formatBytes(sentBytes)} of ${formatBytes(size)}`;
    case 'paused':
      return 'Paused. It is sent from its beginning again.';
    case 'broken':
      return 'The connection broke. It is sent again when the service responds.';
    case 'accepted':
      return 'Uploaded';
    case 'refused':
      return reason ?? 'Not accepted';
    case 'cancelled':
      return 'Cancelled';
    default:
      return state satisfies never;
  }
}
