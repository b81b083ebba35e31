import type { ActivityResponse, TransitionsResponse } from '../../client/responses.ts';

type Recent = ActivityResponse['transitions'];

/** Joins stored histories with the transitions since the service's start, each once, oldest first. */
export function recentTransitions(histories: readonly TransitionsResponse[], live: Recent): Recent {
  const stored = histories.flatMap(({ job: { job_id }, transitions }) =>
    transitions.map((step) => ({ ...step, job_id })),
  );
  const all = new Map([...stored, ...live].map((step) => [`${step.job_id}/${step.seq}`, step]));
  return [...all.values()].toSorted((a, b) => Date.parse(a.occurred_at) - Date.parse(b.occurred_at) || a.seq - b.seq);
}
