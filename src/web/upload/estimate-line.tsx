import { useEffect, useState } from 'preact/hooks';
import { formatClock, formatDuration } from '../duration.ts';
import { msPerFrame } from './estimate.ts';
import { framesOf, type Sampling } from './sampling.ts';

export interface EstimateProps {
  readonly sampling: Sampling;
  readonly pipelineId: string;
  /** Of all videos; null if unknown. */
  readonly durationMs: number | null;
}

/** The estimated work before an upload. */
export function Estimate({ sampling, pipelineId, durationMs }: EstimateProps) {
  const [perFrame, setPerFrame] = useState<number | null>(null);
  useEffect(() => {
    let isStale = false;
    setPerFrame(null);
    if (pipelineId === '') return undefined;
    const read = async (): Promise<void> => {
      // A key that cannot read jobs gets no estimate.
      const ms = await msPerFrame(pipelineId).catch(() => null);
      if (!isStale) setPerFrame(ms);
    };
    void read();
    return () => {
      isStale = true;
    };
  }, [pipelineId]);
  if (durationMs === null || durationMs === 0) return <p class="estimate" />;
  const frames = framesOf(sampling, durationMs);
  return (
    <p class="estimate" role="status">
      {formatClock(durationMs)} of video: about {frames.toLocaleString('en')} {frames === 1 ? 'picture' : 'pictures'}
      {perFrame !== null && `, ${formatDuration(frames * perFrame)} as the last jobs went`}
    </p>
  );
}
