import type { FileFacts } from '../../local/save-file.ts';
import type { AnalysisFormat } from '../analysis-text.ts';

/** A content to be analysed. */
export interface Subject {
  /** A file that has it. */
  readonly path: string;
  readonly video: FileFacts;
  /** SHA-256 in hex of everything that decides on the results: the video, the pipeline and the options. */
  readonly key: string;
}

export type Ending =
  | {
      readonly status: 'completed';
      /** False when an earlier run had done it. */
      readonly isNew: boolean;
      readonly jobId?: string;
    }
  | { readonly status: 'failed'; readonly code: string; readonly message: string; readonly jobId?: string };

/** Where a batch has its videos analysed. */
export interface Analyst extends AsyncDisposable {
  /** What decides on the results beside the video: the pipeline as it is declared, and the options. */
  readonly parameters: unknown;
  /**
   * Analyses a content, or finds what became of it in an earlier run, also in one that was killed.
   * Rejects when the machine or the service says no; then the batch ends.
   */
  analyse(subject: Subject, signal: AbortSignal): Promise<Ending>;
  /** Hands the text of a completed analysis to `save`, again if the service fails meanwhile. */
  save(
    subject: Subject,
    format: AnalysisFormat,
    signal: AbortSignal,
    save: (text: AsyncIterable<string>) => Promise<void>,
  ): Promise<void>;
}

/** The parts of a pipeline that decide on its results. */
export function declarationOf(pipeline: {
  readonly id: string;
  readonly nodes: readonly { readonly id: string; readonly tool: string; readonly params: unknown }[];
  readonly edges: unknown;
  readonly outputs: unknown;
}): unknown {
  const { id, nodes, edges, outputs } = pipeline;
  return { id, nodes: nodes.map((node) => [node.id, node.tool, node.params]), edges, outputs };
}
