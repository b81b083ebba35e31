import type { Box, TextLine } from '../job.ts';

/** Maximum number of spellings per text; beyond it, the one with the fewest votes is dropped. */
const MAX_SPELLINGS = 64;

interface Spelling {
  readonly text: string;
  readonly total: number;
  readonly count: number;
  readonly bestConfidence: number;
  readonly bbox: Box;
}

export interface Winner {
  readonly text: string;
  /** Mean confidence of the samples with this spelling. */
  readonly confidence: number;
  /** Where it was read with the highest confidence. */
  readonly bbox: Box;
}

/** Elects the spelling of a text: the one with the highest total confidence, the first of equals. */
export class SpellingVotes {
  readonly #spellings = new Map<string, Spelling>();
  #lead: Spelling | undefined;

  add({ text, confidence, bbox }: TextLine): void {
    const known = this.#spellings.get(text);
    const isBest = known === undefined || confidence > known.bestConfidence;
    const spelling: Spelling = {
      text,
      total: (known?.total ?? 0) + confidence,
      count: (known?.count ?? 0) + 1,
      bestConfidence: isBest ? confidence : known.bestConfidence,
      bbox: isBest ? bbox : known.bbox,
    };
    this.#spellings.set(text, spelling);
    if (this.#lead === undefined || this.#lead.text === text || spelling.total > this.#lead.total)
      this.#lead = spelling;
    if (this.#spellings.size > MAX_SPELLINGS) this.#forgetWeakest();
  }

  has(text: string): boolean {
    return this.#spellings.has(text);
  }

  get lead(): string {
    return this.#lead?.text ?? '';
  }

  /** Mean confidence of the samples with the leading spelling. */
  get confidence(): number {
    return this.#lead === undefined ? 0 : this.#lead.total / this.#lead.count;
  }

  /** Undefined before the first vote. */
  winner(): Winner | undefined {
    if (this.#lead === undefined) return undefined;
    const { text, total, count, bbox } = this.#lead;
    return { text, confidence: total / count, bbox };
  }

  #forgetWeakest(): void {
    let weakest: Spelling | undefined;
    for (const spelling of this.#spellings.values()) {
      if (spelling !== this.#lead && (weakest === undefined || spelling.total < weakest.total)) weakest = spelling;
    }
    if (weakest !== undefined) this.#spellings.delete(weakest.text);
  }
}
