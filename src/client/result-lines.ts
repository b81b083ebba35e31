import { ReelstateError } from './reelstate-error.ts';

/** End of the first line of the document. */
const HEAD = '"results": [';
/** The document of a job without frames has one line. */
const EMPTY = '"results": []}';
const END = ']}';

/**
 * Splits a results document into its frames. The format has one frame per line:
 * a head that ends with `"results": [`, the frames with a comma after each but the last, and `]}`.
 * Holds one line at most.
 */
export class ResultLines {
  #rest = '';
  #state: 'head' | 'frames' | 'end' = 'head';

  /** Returns the frames that are complete with this piece, as JSON text. @throws ReelstateError `unexpected_response` */
  *push(piece: string): Generator<string> {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (this.#state === 'head') this.#state = stateAfterHead(line);
      else if (this.#state === 'end') throw invalidDocument();
      else if (line === END) this.#state = 'end';
      else if (line.startsWith('{')) yield line.endsWith(',') ? line.slice(0, -1) : line;
      else throw invalidDocument();
    }
  }

  /** Call it after the last piece. @throws ReelstateError `unexpected_response` if the document is incomplete */
  end(): void {
    if (this.#state !== 'end' || this.#rest !== '') throw invalidDocument();
  }
}

function stateAfterHead(line: string): 'frames' | 'end' {
  if (line.endsWith(EMPTY)) return 'end';
  if (line.endsWith(HEAD)) return 'frames';
  throw invalidDocument();
}

function invalidDocument(): ReelstateError {
  return new ReelstateError('unexpected_response', 'The response is not a complete results document', { status: 200 });
}
