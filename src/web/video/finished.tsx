import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { FrameResult, JobResponse } from '../../client/responses.ts';
import { Icon } from '../shared/icon.tsx';
import { requestJson } from '../shared/request.ts';
import { noteRoute, useRoute } from '../shared/route.ts';
import { routeHash } from '../shared/route-hash.ts';
import { useStore } from '../shared/store.ts';
import { ContactSheet } from './contact-sheet.tsx';
import { Controls } from './controls.tsx';
import { ExportMenu } from './export-menu.tsx';
import { findHits } from './find.tsx';
import { useFrames } from './frames.ts';
import { huesOf } from './hue.ts';
import { JobDetails } from './job-details.tsx';
import { objectLanes } from './object-lanes.ts';
import { Panel } from './panel.tsx';
import { Player } from './player.ts';
import { useFindings, type Findings } from './segments.ts';
import { handleKey, ShortcutSheet, type ShortcutContext } from './shortcuts.tsx';
import { Stage } from './stage.tsx';
import { Timeline } from './timeline.tsx';
import { createVideoStore } from './video-state.ts';
import { VideoTitle } from './video-title.tsx';

/** Used if the size of the frame is unknown. */
const UNKNOWN_SIZE: readonly [number, number] = [1280, 720];

/** A completed job: its video and its findings. */
export function Finished({ job }: { readonly job: JobResponse }) {
  const findings = useFindings(job.job_id);
  if (findings === null) {
    return (
      <>
        <VideoTitle job={job} />
        <p class="empty">Reading what was found…</p>
      </>
    );
  }
  if ('problem' in findings) {
    return (
      <>
        <VideoTitle job={job} />
        <p class="problem" role="alert">
          {findings.problem}
        </p>
      </>
    );
  }
  return <Opened job={job} findings={findings} />;
}

interface OpenedProps {
  readonly job: JobResponse;
  readonly findings: Findings;
}

function Opened({ job, findings: { scenes, objects, endMs } }: OpenedProps) {
  const { job_id: jobId, media } = job;
  const route = useRoute();
  const [store] = useState(() =>
    createVideoStore({
      timeMs: route.timeMs ?? 0,
      durationMs: Math.max(media.duration_ms ?? 0, endMs),
      query: route.query,
      tab: scenes.length === 0 && objects.length > 0 ? 'objects' : 'transcript',
      size: media.width === null || media.height === null ? null : [media.width, media.height],
    }),
  );
  const [player] = useState(() => new Player(store));
  const [isHelping, setHelping] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const { size, query } = useStore(store, (state) => ({ size: state.size, query: state.query }));
  const lanes = useMemo(() => objectLanes(objects), [objects]);
  const hues = useMemo(() => huesOf(lanes.map(({ label }) => label)), [lanes]);
  const hits = useMemo(() => findHits(scenes, objects, query), [scenes, objects, query]);
  const step = useFrames(store, player, {
    endMs: store.value.durationMs,
    foundMs: endMs,
    stepMs: stepOf(job),
    load: async (fromMs, toMs) => {
      const range = new URLSearchParams({ from_ms: String(fromMs), to_ms: String(toMs) });
      const { results } = await requestJson<{ readonly results: readonly FrameResult[] }>(
        `video/results/${jobId}?${range}`,
      );
      return results;
    },
  });
  useAddress(store);
  useEffect(() => () => player.close(), [player]);
  useEffect(() => {
    if (route.timeMs !== null && Math.abs(route.timeMs - store.value.timeMs) > 100) player.seek(route.timeMs);
    if (route.query !== store.value.query) store.set({ query: route.query });
  }, [route]);
  const context: ShortcutContext = {
    store,
    player,
    step,
    scene: (by) => {
      const { timeMs } = store.value;
      const next =
        by === 1
          ? scenes.find(({ start_ms: start }) => start > timeMs + 1.5)
          : scenes.findLast(({ start_ms: start }) => start < timeMs - 1.5);
      if (next !== undefined) player.seek(next.start_ms);
    },
    fullScreen: () => toggleFullScreen(place.current),
    help: () => setHelping(true),
  };
  const latest = useRef(context);
  latest.current = context;
  useEffect(() => {
    const ending = new AbortController();
    addEventListener('keydown', (event) => handleKey(event, latest.current), { signal: ending.signal });
    return () => ending.abort();
  }, []);
  const [width, height] = size ?? UNKNOWN_SIZE;
  return (
    <>
      <div class="video-head">
        <VideoTitle job={job} />
        <div class="video-actions">
          {scenes.length > 0 && (
            <a class="button primary" href={`video/segments/${jobId}?format=srt`} download="">
              <Icon name="download" /> <span>Download subtitles</span>
            </a>
          )}
          <ExportMenu jobId={jobId} hasText={scenes.length > 0} hasObjects={objects.length > 0} />
          <CopyLink jobId={jobId} timeOf={() => store.value.timeMs} />
        </div>
      </div>
      <div class="video-columns" style={{ '--ratio': String(width / height) }}>
        <div class="video-left">
          <div class="player" ref={place}>
            <Stage jobId={jobId} store={store} player={player} scenes={scenes} hues={hues} size={[width, height]} />
            <Timeline jobId={jobId} store={store} player={player} scenes={scenes} hits={hits} onStep={step} />
            <Controls
              store={store}
              player={player}
              onStep={step}
              onFullScreen={context.fullScreen}
              onHelp={context.help}
            />
          </div>
          <ContactSheet jobId={jobId} codec={media.codec} scenes={scenes} store={store} player={player} />
        </div>
        <Panel jobId={jobId} store={store} player={player} scenes={scenes} lanes={lanes} hues={hues} hits={hits} />
      </div>
      <JobDetails job={job} />
      {isHelping && <ShortcutSheet onClose={() => setHelping(false)} />}
    </>
  );
}

/** Keeps position and search in the address for a reload, except during playback. */
function useAddress(store: ReturnType<typeof createVideoStore>): void {
  const { timeMs, query } = useStore(store, (state) => ({
    timeMs: state.isPlaying ? null : Math.round(state.timeMs / 100) * 100,
    query: state.query,
  }));
  useEffect(() => {
    if (timeMs !== null) noteRoute({ timeMs: timeMs === 0 ? null : timeMs, query });
  }, [timeMs, query]);
}

interface CopyLinkProps {
  readonly jobId: string;
  readonly timeOf: () => number;
}

function CopyLink({ jobId, timeOf }: CopyLinkProps) {
  const [said, setSaid] = useState('');
  const copy = async (): Promise<void> => {
    const { href } = new URL(routeHash({ jobId, timeMs: timeOf() }), location.href);
    try {
      await navigator.clipboard.writeText(href);
      setSaid('Copied');
    } catch {
      // Only secure pages can write to the clipboard.
      setSaid('Copy the address of this page');
    }
  };
  return (
    <button type="button" class="copy-link" onClick={() => void copy()}>
      <Icon name={said === 'Copied' ? 'check' : 'link'} />
      <span role="status">{said === '' ? 'Copy link' : said}</span>
    </button>
  );
}

function toggleFullScreen(element: HTMLElement | null): void {
  // Rejected if the browser requires a gesture first.
  if (document.fullscreenElement !== null) document.exitFullscreen().catch(() => undefined);
  else element?.requestFullscreen().catch(() => undefined);
}

/** Milliseconds between two analysed frames; null if unknown. */
function stepOf({ media: { duration_ms: durationMs, frames_analysed: frames } }: JobResponse): number | null {
  return durationMs === null || frames === null || frames < 2 ? null : durationMs / frames;
}
