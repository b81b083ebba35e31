import type { FileFacts } from '../../local/save-file.ts';
import type { AnalysisFormat } from '../analysis-text.ts';

/** A content to be analysed. */
export interface Subject {
  /** A file with this content. */
  readonly path: string;
  readonly video: FileFacts;
  /** Hexadecimal SHA-256 of everything that determines the results: video, pipeline and options. */
  readonly key: string;
}

export type Ending =
  | {
      readonly status: 'completed';
      /** False if an earlier run did it. */
      readonly isNew: boolean;
      readonly jobId?: string;
    }
  | { readonly status: 'failed'; readonly code: string; readonly message: string; readonly jobId?: string };

/** Where a batch analyses its videos. */
export interface Analyst extends AsyncDisposable {
  /** What determines the results in addition to the video: the declared pipeline and the options. */
  readonly parameters: unknown;
  /**
   * Analyses a content, or returns the outcome of an earlier run, also of one that was killed. Rejects if the machine
   * or the service refuses; the batch then ends.
   */
  analyse(subject: Subject, signal: AbortSignal): Promise<Ending>;
  /** Passes the text of a completed analysis to `save`, again if the service fails meanwhile. */
  save(
    subject: Subject,
    format: AnalysisFormat,
    signal: AbortSignal,
    save: (text: AsyncIterable<string>) => Promise<void>,
  ): Promise<void>;
}

/** Returns the parts of a pipeline that determine its results. */
export function declarationOf(pipeline: {
  readonly id: string;
  readonly nodes: readonly { readonly id: string; readonly tool: string; readonly params: unknown }[];
  readonly edges: unknown;
  readonly outputs: unknown;
}): unknown {
  const { id, nodes, edges, outputs } = pipeline;
  return { id, nodes: nodes.map((node) => [node.id, node.tool, node.params]), edges, outputs };
}
