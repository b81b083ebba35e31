import type { FrameResult } from '../../client/responses.ts';
import { problemOf } from '../problem.ts';
import { ResultsIndex } from './results-index.ts';

/** Requests of a page to the results worker; every response has the same `id`. */
export type Question = { readonly id: number } & (
  | { readonly ask: 'open'; readonly address: string }
  | { readonly ask: 'frameAt'; readonly ms: number }
  | { readonly ask: 'frame'; readonly position: number }
  | {
      readonly ask: 'strip';
      readonly parts: number;
      readonly durationMs: number;
      readonly hidden: readonly string[];
      readonly query: string;
    }
  | { readonly ask: 'search'; readonly query: string; readonly limit: number }
  | { readonly ask: 'csv' }
);

let index = new ResultsIndex([]);

addEventListener('message', ({ data }: MessageEvent<Question>) => void reply(data));

async function reply(question: Question): Promise<void> {
  const { id } = question;
  try {
    postMessage({ id, value: await answer(question) });
  } catch (error) {
    postMessage({ id, problem: error instanceof Error ? error.message : String(error) });
  }
}

async function answer(question: Question): Promise<unknown> {
  switch (question.ask) {
    case 'open': {
      const response = await fetch(question.address);
      if (!response.ok) throw new Error(await problemOf(response));
      const { results }: { readonly results: readonly FrameResult[] } = await response.json();
      index = new ResultsIndex(results);
      return index.summary();
    }
    case 'frameAt':
      return index.frameAt(question.ms);
    case 'frame':
      return index.frame(question.position);
    case 'strip':
      return index.strip(question.parts, question.durationMs, question.hidden, question.query);
    case 'search':
      return index.search(question.query, question.limit);
    case 'csv':
      return new Blob([...index.csv()], { type: 'text/csv' });
    default:
      return question satisfies never;
  }
}
