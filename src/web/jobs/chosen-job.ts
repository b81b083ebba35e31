import { useEffect, useState } from 'preact/hooks';

/** The job that the address names after `#job=`: a chosen job can be bookmarked, and Back goes back. */
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

function jobInAddress(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get('job');
}
