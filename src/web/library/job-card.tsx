import type { JobItem } from '../../client/responses.ts';
import { formatAge, formatClock } from '../duration.ts';
import { Icon } from '../shared/icon.tsx';
import { JobName, nameOfJob } from '../shared/job-name.tsx';
import { Menu } from '../shared/menu.tsx';
import { routeHash } from '../shared/route-hash.ts';
import { Thumbnail } from '../shared/thumbnail.tsx';
import { isPossible, type JobAction } from './job-actions.ts';
import { useJobFindings } from './job-findings.ts';
import { remedyOf } from './remedy.ts';

export interface JobCardProps {
  readonly job: JobItem;
  readonly now: number;
  readonly isSelected: boolean;
  readonly onSelect: (isSelected: boolean) => void;
  /** Null if the key cannot change anything. */
  readonly onAction: ((action: JobAction, job: JobItem) => void) | null;
}

const DELETED = 'The video and its results were deleted.';
const WORDS: Readonly<Record<string, string>> = { pending: 'Waiting', running: 'Analysing' };

/** One video of the library: its picture, name and findings, or its state. */
export function JobCard({ job, now, isSelected, onSelect, onAction }: JobCardProps) {
  const findings = useJobFindings(job);
  const remedy = remedyOf(job);
  const state = WORDS[job.status];
  const name = nameOfJob(job);
  return (
    <li class={`job-card${isSelected ? ' is-selected' : ''}`} data-state={job.status} data-job={job.job_id}>
      <div class="job-picture">
        <Thumbnail
          jobId={job.job_id}
          frameIndex={findings?.frameIndex ?? null}
          icon={remedy === null ? (state === undefined ? 'film' : 'wait') : 'cry'}
        />
        {state !== undefined && (
          <span class="pill" data-state={job.status}>
            {state}
          </span>
        )}
        {findings !== null && findings.durationMs !== null && (
          <span class="badge">{formatClock(findings.durationMs)}</span>
        )}
      </div>
      <div class="job-words">
        <a class="job-link" href={`./${routeHash({ jobId: job.job_id })}`}>
          <JobName job={job} />
        </a>
        {remedy === null ? (
          <p class="job-found">{lineOf(job, findings?.line)}</p>
        ) : (
          <p class="job-found is-failed" title={job.error_message}>
            <b>{remedy.title}.</b> {job.deleted_at === null ? remedy.advice : DELETED}
          </p>
        )}
        <p class="job-facts">
          <span>{pipelineWords(job.pipeline_id)}</span>
          <time dateTime={job.created_at} title={job.created_at}>
            {formatAge(job.created_at, now)}
          </time>
        </p>
      </div>
      {onAction !== null && (
        <>
          <input
            type="checkbox"
            class="job-select"
            aria-label={`Select ${name}`}
            checked={isSelected}
            onChange={({ currentTarget }) => onSelect(currentTarget.checked)}
          />
          <Menu class="job-menu" label={`Actions for ${name}`} button={<Icon name="more" />}>
            <Actions job={job} onAction={onAction} />
          </Menu>
        </>
      )}
      {remedy?.mayRerun === true && onAction !== null && job.deleted_at === null && (
        <button type="button" class="job-remedy" onClick={() => onAction('rerun', job)}>
          <Icon name="retry" /> Run again
        </button>
      )}
    </li>
  );
}

interface ActionsProps {
  readonly job: JobItem;
  readonly onAction: (action: JobAction, job: JobItem) => void;
}

function Actions({ job, onAction }: ActionsProps) {
  return (
    <>
      {isPossible('cancel', job) && (
        <button type="button" onClick={() => onAction('cancel', job)}>
          <Icon name="close" /> Cancel
        </button>
      )}
      {isPossible('rerun', job) && (
        <button type="button" onClick={() => onAction('rerun', job)}>
          <Icon name="retry" /> Run again
        </button>
      )}
      <a href={`inspector${routeHash({ jobId: job.job_id })}`}>
        <Icon name="sliders" /> Inspect
      </a>
      {isPossible('delete', job) && (
        <button type="button" class="danger" onClick={() => onAction('delete', job)}>
          <Icon name="trash" /> Delete
        </button>
      )}
    </>
  );
}

function lineOf({ status, deleted_at: deletedAt }: JobItem, found: string | undefined): string {
  if (deletedAt !== null) return DELETED;
  if (status === 'pending') return 'Waits for its turn.';
  if (status === 'running') return 'The results will appear here.';
  return found ?? '\u00A0';
}

function pipelineWords(id: string): string {
  return { ocr_only: 'Text', yolo_ocr: 'Objects and text' }[id] ?? id;
}
