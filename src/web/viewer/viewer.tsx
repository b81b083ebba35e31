import { useEffect, useMemo, useState } from 'preact/hooks';
import type { JobItem } from '../../client/responses.ts';
import { formatTimecode } from '../duration.ts';
import { useAnswer } from './answer.ts';
import { Findings } from './findings.tsx';
import { Overlay } from './overlay.tsx';
import { usePlayback } from './playback.ts';
import type { Summary } from './results-index.ts';
import { ResultsReader } from './results-reader.ts';
import { TextSearch } from './text-search.tsx';
import { TimeStrip } from './time-strip.tsx';

/** Number of parts of the time line. */
const STRIP_PARTS = 400;
/** Used if the size of the frame is unknown. */
const UNKNOWN_SIZE: readonly [number, number] = [1280, 720];

/** The results of a completed job over its video. */
export function Viewer({ job }: { readonly job: JobItem }) {
  const { job_id: jobId } = job;
  const [reader, setReader] = useState<ResultsReader | null>(null);
  const [summary, setSummary] = useState<Summary | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const opened = new ResultsReader();
    const open = async (): Promise<void> => {
      try {
        setSummary(
          await opened.ask({ ask: 'open', address: new URL(`video/results/${jobId}`, document.baseURI).href }),
        );
        setReader(opened);
      } catch (error) {
        setProblem(error instanceof Error ? error.message : String(error));
      }
    };
    void open();
    return () => opened.close();
  }, [jobId]);
  if (problem !== null)
    return (
      <p class="problem" role="alert">
        {problem}
      </p>
    );
  if (reader === null || summary === null) return <p class="empty">Reading the results…</p>;
  return <Opened job={job} reader={reader} summary={summary} />;
}

interface OpenedProps {
  readonly job: JobItem;
  readonly reader: ResultsReader;
  readonly summary: Summary;
}

function Opened({ job: { job_id: jobId }, reader, summary }: OpenedProps) {
  const { video, timeMs, isPlaying, size, videoMs, isBlank, seek, toggle } = usePlayback(summary.endMs);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [showsText, setShowsText] = useState(true);
  const [query, setQuery] = useState('');
  const [isMuted, setMuted] = useState(true);
  const durationMs = Math.max(videoMs ?? 0, summary.endMs);

  const frame = useAnswer(reader, { ask: 'frameAt', ms: timeMs });
  const strip = useAnswer(reader, {
    ask: 'strip',
    parts: STRIP_PARTS,
    durationMs,
    hidden: [...hidden],
    query: query.trim(),
  });

  const step = async (by: -1 | 1): Promise<void> => {
    const position = frame === null ? (timeMs < summary.firstMs ? -1 : summary.frames) : frame.position;
    const next = await reader.ask({ ask: 'frame', position: position + by });
    if (next !== null) seek(next.timestampMs);
  };
  const saveCsv = async (): Promise<void> => {
    const address = URL.createObjectURL(await reader.ask({ ask: 'csv' }));
    const link = document.createElement('a');
    link.href = address;
    link.download = `${jobId}_results.csv`;
    link.click();
    URL.revokeObjectURL(address);
  };
  const extent = useMemo((): readonly [number, number] => {
    const [width, height] = summary.extent;
    return width === 0 || height === 0 ? UNKNOWN_SIZE : [Math.ceil(width * 1.04), Math.ceil(height * 1.04)];
  }, [summary]);
  const frameSize = size ?? extent;

  return (
    <div class="viewer">
      <div class="viewing">
        <div class={isBlank ? 'stage is-blank' : 'stage'} style={{ aspectRatio: `${frameSize[0]} / ${frameSize[1]}` }}>
          {!isBlank && (
            // oxlint-disable-next-line jsx-a11y/media-has-caption -- what the video says is not known
            <video
              ref={video}
              src={`video/source/${jobId}`}
              preload="auto"
              playsInline
              muted={isMuted}
              onClick={toggle}
            />
          )}
          <Overlay frame={frame} size={frameSize} hidden={hidden} showsText={showsText} query={query} />
        </div>
        {isBlank && (
          <p class="note" role="status">
            This browser cannot play the video, so boxes and text are shown over a blank frame
            {size === null && '; its size is a guess from the boxes'}.
          </p>
        )}
        <TimeStrip strip={strip} timeMs={timeMs} durationMs={durationMs} onSeek={seek} onStep={(by) => void step(by)} />
        <div class="controls">
          <button type="button" class="round" aria-label={isPlaying ? 'Pause' : 'Play'} onClick={toggle}>
            {isPlaying ? '❚❚' : '▶'}
          </button>
          <button type="button" aria-label="Previous analysed frame" onClick={() => void step(-1)}>
            ‹
          </button>
          <button type="button" aria-label="Next analysed frame" onClick={() => void step(1)}>
            ›
          </button>
          <output class="timecode">
            {formatTimecode(timeMs)} <small>/ {formatTimecode(durationMs).replace(/\.\d+$/, '')}</small>
          </output>
          <span class="frame-number">{frame === null ? 'not analysed here' : `frame ${frame.frameIndex}`}</span>
          {!isBlank && (
            <button
              type="button"
              aria-label="Sound"
              title="Sound"
              aria-pressed={!isMuted}
              onClick={() => setMuted(!isMuted)}
            >
              ♪
            </button>
          )}
          <span class="gap" />
          <a class="button" href={`video/results/${jobId}`} download={`${jobId}_results.json`}>
            JSON
          </a>
          <button type="button" onClick={() => void saveCsv()}>
            CSV
          </button>
        </div>
      </div>
      <aside class="found" aria-label="What was found">
        <TextSearch reader={reader} query={query} onQuery={setQuery} onSeek={seek} />
        <Findings
          summary={summary}
          frame={frame}
          hidden={hidden}
          onHidden={setHidden}
          showsText={showsText}
          onShowsText={setShowsText}
        />
      </aside>
    </div>
  );
}
