import { useEffect, useRef, useState } from 'preact/hooks';
import type { ActivityResponse } from '../../client/responses.ts';
import { walkKey } from '../chart/chart-view.tsx';

/**
 * Transitions since the last poll, by key, each with a growing number. Those of the first response are not highlighted.
 */
export function useFlashes(
  machineId: string,
  transitions: ActivityResponse['transitions'] | undefined,
): ReadonlyMap<string, number> {
  const seen = useRef<ReadonlySet<string> | null>(null);
  const [flashes, setFlashes] = useState<ReadonlyMap<string, number>>(new Map());
  useEffect(() => {
    if (transitions === undefined) return;
    const fresh = transitions.filter(({ job_id, seq }) => seen.current?.has(`${job_id}/${seq}`) === false);
    seen.current = new Set(transitions.map(({ job_id, seq }) => `${job_id}/${seq}`));
    if (fresh.length === 0) return;
    setFlashes((last) => {
      const next = new Map(last);
      for (const { from, event, to } of fresh) {
        const key = walkKey(`${machineId}.${from ?? ''}`, event, `${machineId}.${to}`);
        next.set(key, (next.get(key) ?? 0) + 1);
      }
      return next;
    });
  }, [machineId, transitions]);
  return flashes;
}
