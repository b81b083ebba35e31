import { useEffect, useRef, useState } from 'preact/hooks';
import { formatBytes } from './bytes.ts';
import { PipelineChoice, type OfferedPipeline } from './pipeline-choice.tsx';
import { upload } from './upload.ts';

/** States of the panel: choosing → uploading → choosing (accepted: the job is shown elsewhere) | refused → … */
type PanelState =
  | { readonly name: 'choosing'; readonly note?: string }
  | {
      readonly name: 'uploading';
      readonly file: File;
      readonly sentBytes: number;
      readonly startedMs: number;
      readonly ending: AbortController;
    }
  | { readonly name: 'refused'; readonly fileName: string; readonly reason: string };

export interface UploadPanelProps {
  readonly pipelines: readonly OfferedPipeline[];
  readonly onAccepted: (jobId: string, fileName: string) => void;
}

export function UploadPanel({ pipelines, onAccepted }: UploadPanelProps) {
  const [state, setState] = useState<PanelState>({ name: 'choosing' });
  const [file, setFile] = useState<File | null>(null);
  const [chosenPipeline, setPipeline] = useState<string | null>(null);
  const [frameStride, setFrameStride] = useState('');
  const [maxFrames, setMaxFrames] = useState('');
  const [isOver, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const start = useRef<HTMLButtonElement>(null);
  const pipelineId = chosenPipeline ?? pipelines[0]?.id ?? '';

  const choose = (files: FileList | null | undefined): void => {
    const [first, ...others] = files ?? [];
    if (first === undefined) return;
    setFile(first);
    setState({
      name: 'choosing',
      ...(others.length === 0 ? {} : { note: 'One video at a time: the first was taken.' }),
    });
    requestAnimationFrame(() => start.current?.focus());
  };

  // The whole page accepts drops, because a browser leaves the page for a file dropped elsewhere.
  useEffect(() => {
    const ending = new AbortController();
    const { signal } = ending;
    addEventListener(
      'dragover',
      (event) => {
        event.preventDefault();
        setOver(true);
      },
      { signal },
    );
    addEventListener('dragleave', ({ relatedTarget }) => relatedTarget === null && setOver(false), { signal });
    addEventListener(
      'drop',
      (event) => {
        event.preventDefault();
        setOver(false);
        if (state.name !== 'uploading') choose(event.dataTransfer?.files);
      },
      { signal },
    );
    return () => ending.abort();
  }, [state.name]);

  const submit = async (): Promise<void> => {
    if (file === null) return;
    const ending = new AbortController();
    const startedMs = performance.now();
    const show = (sentBytes: number): void => setState({ name: 'uploading', file, sentBytes, startedMs, ending });
    show(0);
    try {
      const jobId = await upload({ file, pipelineId, frameStride, maxFrames, signal: ending.signal, onProgress: show });
      setState({ name: 'choosing' });
      setFile(null);
      if (input.current !== null) input.current.value = '';
      onAccepted(jobId, file.name);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      setState(
        ending.signal.aborted ? { name: 'choosing', note: reason } : { name: 'refused', fileName: file.name, reason },
      );
    }
  };

  return (
    <form
      class="upload card"
      aria-labelledby="upload-title"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h2 id="upload-title">Analyse a video</h2>
      {state.name === 'uploading' ? (
        <Progress {...state} />
      ) : (
        <>
          <label class={`drop${isOver ? ' is-over' : ''}${file === null ? '' : ' has-file'}`}>
            <input
              ref={input}
              type="file"
              accept="video/mp4,.mp4,.m4v,.mov"
              aria-label="Video file"
              onChange={({ currentTarget }) => choose(currentTarget.files)}
            />
            {file === null ? (
              <>
                <b>Drop an MP4 here</b>
                <span>or choose a file</span>
              </>
            ) : (
              <>
                <b class="file-name">{file.name}</b>
                <span>{formatBytes(file.size)} · choose another</span>
              </>
            )}
          </label>
          <PipelineChoice pipelines={pipelines} chosen={pipelineId} onChoose={setPipeline} />
          <div class="sampling">
            <label>
              Frame stride
              <input
                type="number"
                inputMode="numeric"
                min={1}
                step={1}
                placeholder="1: every frame"
                value={frameStride}
                onInput={({ currentTarget }) => setFrameStride(currentTarget.value)}
              />
            </label>
            <label>
              Max frames
              <input
                type="number"
                inputMode="numeric"
                min={1}
                step={1}
                placeholder="all"
                value={maxFrames}
                onInput={({ currentTarget }) => setMaxFrames(currentTarget.value)}
              />
            </label>
          </div>
          {state.name === 'refused' && (
            <p class="problem" role="alert">
              <b>{state.fileName} was refused.</b> {state.reason}
            </p>
          )}
          {state.name === 'choosing' && state.note !== undefined && (
            <p class="note" role="status">
              {state.note}
            </p>
          )}
          <button ref={start} class="primary" type="submit" disabled={file === null || pipelineId === ''}>
            Upload and analyse
          </button>
        </>
      )}
    </form>
  );
}

function Progress({ file, sentBytes, startedMs, ending }: Extract<PanelState, { readonly name: 'uploading' }>) {
  const seconds = (performance.now() - startedMs) / 1_000;
  const isSent = sentBytes >= file.size;
  return (
    <div class="progress">
      <b class="file-name">{file.name}</b>
      <progress aria-label="Uploaded" max={file.size} value={sentBytes} />
      <p role="status">
        {isSent ? 'Sent. The service is storing it…' : `${formatBytes(sentBytes)} of ${formatBytes(file.size)}`}
        {!isSent && seconds > 0.5 && ` · ${formatBytes(sentBytes / seconds)}/s`}
      </p>
      <button type="button" onClick={() => ending.abort()}>
        Cancel upload
      </button>
    </div>
  );
}
