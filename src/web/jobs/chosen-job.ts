import { useEffect, useState } from 'preact/hooks';

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The job in the address after `#job=`, so that a selected job can be bookmarked and Back works. */
export function useChosenJob(): readonly [jobId: string | null, choose: (jobId: string | null) => void] {
  const [jobId, setJobId] = useState(jobInAddress);
  useEffect(() => {
    const read = (): void => setJobId(jobInAddress());
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  return [jobId, chooseJob];
}

function chooseJob(jobId: string | null): void {
  location.hash = jobId === null ? '' : `job=${jobId}`;
}

/**
 * Returns null for anything but a UUID, because an address may come from anywhere and the id becomes part of others.
 */
function jobInAddress(): string | null {
  const id = new URLSearchParams(location.hash.slice(1)).get('job') ?? '';
  return UUID.test(id) ? id.toLowerCase() : null;
}
