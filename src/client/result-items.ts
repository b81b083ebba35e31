import { ReelstateError } from './reelstate-error.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x7b, 0x5b]); // { [
const CLOSING = new Set([0x7d, 0x5d]); // } ]
const BETWEEN_ITEMS = new Set([0x20, 0x0a, 0x0d, 0x09, 0x2c]); // white space and the comma
const OPENING_BRACE = 0x7b;
/** The document and its list are open, and no item is. */
const IN_LIST = 2;

/**
 * Cuts the items out of a results document, `{"results": [{…}, {…}]}`, that comes in pieces: brackets and strings are
 * followed, so that neither line breaks nor where a piece ends matter. Holds one item at most.
 */
export class ResultItems {
  #depth = 0;
  #isString = false;
  #isEscaped = false;
  #isList = false;
  /** The last string in the document itself: before a list, the name of the list. */
  #name = '';
  /** What came of an item that is not whole yet. */
  #item = '';
  #hasEnded = false;

  /** The items, as JSON text, that are whole with this piece. @throws ReelstateError `unexpected_answer` */
  *push(piece: string): Generator<string> {
    let begin = 0; // of the item that is open, in this piece
    for (let at = 0; at < piece.length; at += 1) {
      const code = piece.charCodeAt(at);
      if (this.#isString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (code === BACKSLASH) this.#isEscaped = true;
        else if (code === QUOTE) this.#isString = false;
        else if (this.#depth === 1) this.#name += piece[at] ?? '';
      } else if (code === QUOTE) {
        this.#isString = true;
        if (this.#depth === 1) this.#name = '';
        if (this.#isList && this.#depth === IN_LIST) throw strange();
      } else if (OPENING.has(code)) {
        if (this.#isList && this.#depth === IN_LIST) {
          if (code !== OPENING_BRACE) throw strange();
          begin = at;
        }
        this.#depth += 1;
        if (this.#depth === IN_LIST && code !== OPENING_BRACE) this.#isList = this.#name === 'results';
      } else if (CLOSING.has(code)) {
        this.#depth -= 1;
        if (this.#isList && this.#depth === IN_LIST) {
          yield this.#item + piece.slice(begin, at + 1);
          this.#item = '';
        } else if (this.#isList && this.#depth < IN_LIST) {
          this.#isList = false;
          this.#hasEnded = true;
        }
      } else if (this.#isList && this.#depth === IN_LIST && !BETWEEN_ITEMS.has(code)) throw strange();
    }
    if (this.#isList && this.#depth > IN_LIST) this.#item += piece.slice(begin);
  }

  /** To be called after the last piece. @throws ReelstateError `unexpected_answer` when the document is not whole */
  end(): void {
    if (!this.#hasEnded || this.#depth !== 0) throw strange();
  }
}

function strange(): ReelstateError {
  return new ReelstateError('unexpected_answer', 'What came is no whole results document', { status: 200 });
}
