import { useEffect, useRef, useState } from 'preact/hooks';
import { Dialog } from '../shared/dialog.tsx';
import { Icon } from '../shared/icon.tsx';
import { adding, addFiles } from './adding.ts';
import { formatBytes } from './bytes.ts';
import { Estimate } from './estimate-line.tsx';
import { readFileFacts, type FileFacts } from './file-facts.ts';
import { PipelineChoice, type OfferedPipeline } from './pipeline-choice.tsx';
import { analysisOptionsOf, samplingFaults, USUAL_SAMPLING } from './sampling.ts';
import { SamplingForm } from './sampling-form.tsx';
import { uploads } from './uploads.ts';

export interface AddDialogProps {
  readonly files: readonly File[];
  readonly pipelines: readonly OfferedPipeline[];
}

/** Every service has it. */
const USUAL_PIPELINE = 'ocr_only';

/** The videos to add, the pipeline, and the sampling. */
export function AddDialog({ files, pipelines }: AddDialogProps) {
  const [chosen, setChosen] = useState<string | null>(null);
  const [sampling, setSampling] = useState(USUAL_SAMPLING);
  const input = useRef<HTMLInputElement>(null);
  const facts = useFacts(files);
  const pipelineId = chosen ?? pipelines.find(({ id }) => id === USUAL_PIPELINE)?.id ?? pipelines[0]?.id ?? '';
  const isReady = files.length > 0 && pipelineId !== '' && Object.keys(samplingFaults(sampling)).length === 0;
  return (
    <Dialog title="Add videos" onClose={close}>
      <form
        class="add-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isReady) return;
          uploads.add(files, pipelineId, analysisOptionsOf(sampling));
          close();
        }}
      >
        <label class={files.length === 0 ? 'drop is-empty' : 'drop'}>
          <input
            ref={input}
            type="file"
            multiple
            accept="video/mp4,.mp4,.m4v,.mov"
            aria-label="Video files"
            onChange={({ currentTarget }) => addFiles(currentTarget.files ?? [])}
          />
          <Icon name="upload" />
          <b>{files.length === 0 ? 'Drop videos here' : 'Add more'}</b>
          <span>or choose MP4 files</span>
        </label>
        {files.length > 0 && (
          <ul class="file-rows" aria-label="Files">
            {files.map((file, index) => (
              // oxlint-disable-next-line react/no-array-index-key -- two files may have one name
              <li key={index}>
                <bdi>{file.name}</bdi>
                <small>{formatBytes(file.size)}</small>
                <button
                  type="button"
                  class="quiet icon-only"
                  aria-label={`Remove ${file.name}`}
                  onClick={() => adding.set({ files: files.filter((other) => other !== file) })}
                >
                  <Icon name="close" />
                </button>
              </li>
            ))}
          </ul>
        )}
        <PipelineChoice pipelines={pipelines} chosen={pipelineId} onChoose={setChosen} />
        <SamplingForm sampling={sampling} onSampling={setSampling} videoAddress={facts.first} />
        <div class="dialog-foot">
          <Estimate sampling={sampling} pipelineId={pipelineId} durationMs={facts.durationMs} />
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={!isReady}>
            {files.length > 1 ? `Analyse ${files.length} videos` : 'Analyse'}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function close(): void {
  adding.set({ files: null });
}

/** The total length of all files, null until each is known, and the address of the first. */
function useFacts(files: readonly File[]): { readonly durationMs: number | null; readonly first: string | null } {
  const [known, setKnown] = useState<ReadonlyMap<File, FileFacts | null>>(new Map());
  const kept = useRef(known);
  kept.current = known;
  useEffect(() => {
    let isStale = false;
    const read = async (): Promise<void> => {
      for (const file of files.filter((each) => !kept.current.has(each))) {
        const facts = await readFileFacts(file);
        if (isStale) return;
        setKnown((before) => new Map([...before, [file, facts]]));
      }
    };
    void read();
    return () => {
      isStale = true;
    };
  }, [files]);
  useEffect(
    () => () => {
      for (const facts of kept.current.values()) if (facts !== null) URL.revokeObjectURL(facts.address);
    },
    [],
  );
  const durations = files.map((file) => known.get(file)?.durationMs);
  const [first] = files;
  return {
    durationMs: durations.every((ms) => ms !== undefined) ? durations.reduce((sum, ms) => sum + ms, 0) : null,
    first: (first && known.get(first)?.address) ?? null,
  };
}
