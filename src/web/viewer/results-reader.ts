import type { FrameView, Hit, Strip, Summary } from './results-index.ts';
import type { Question } from './results-worker.ts';

export interface Answers {
  readonly open: Summary;
  readonly frameAt: FrameView | null;
  readonly frame: FrameView | null;
  readonly strip: Strip;
  readonly search: { readonly hits: readonly Hit[]; readonly total: number };
  readonly csv: Blob;
}

export type QuestionOf<Ask extends keyof Answers> = Omit<Extract<Question, { readonly ask: Ask }>, 'id'> & {
  readonly ask: Ask;
};

/** A response of the worker; the type of the value depends on the request. */
type Answered = { readonly id: number; readonly value: never } | { readonly id: number; readonly problem: string };

/** The results of a job, read and searched by a worker, so that the page stays responsive for any size. */
export class ResultsReader {
  readonly #worker = new Worker(new URL('results-worker.js', import.meta.url), { type: 'module' });
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #asked = 0;

  constructor() {
    this.#worker.addEventListener('message', ({ data }: MessageEvent<Answered>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ('problem' in data) waiting?.reject(new Error(data.problem));
      else waiting?.resolve(data.value);
    });
  }

  /** Rejects with an Error that has the reason. */
  ask<Ask extends keyof Answers>(question: QuestionOf<Ask>): Promise<Answers[Ask]> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...question, id }, []);
    });
  }

  close(): void {
    this.#worker.terminate();
  }
}
