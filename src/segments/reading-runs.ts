import type { TextLine } from '../job.ts';
import { isOtherText } from './reading.ts';
import type { Moment } from './sample.ts';
import { SpellingVotes } from './spelling-votes.ts';

/** Minimum number of samples of a text that was replaced, and of its replacement. */
const LEAST_SAMPLES = 3;
const SURE = 0.95;
const MAX_RUNS = 16;

export interface ReadingRun {
  readonly start: Moment;
  readonly text: string;
  readonly votes: SpellingVotes;
  count: number;
  total: number;
}

/**
 * Distinguishes a change of one letter from flicker. `find out.` and `find out!` are nearly equal, so they count as
 * readings of one text; but flicker alternates, while a replacement stays.
 */
export class ReadingRuns {
  #runs: ReadingRun[] = [];
  #flickers = false;

  add(line: TextLine, start: Moment): void {
    if (this.#flickers) return;
    let run = this.#runs.at(-1);
    if (run?.text !== line.text) {
      const isBack = this.#runs.some(({ text }) => text === line.text);
      if (isBack || this.#runs.length === MAX_RUNS || (run !== undefined && run.count < LEAST_SAMPLES)) {
        this.#flickers = true;
        this.#runs = [];
        return;
      }
      run = { start, text: line.text, votes: new SpellingVotes(), count: 0, total: 0 };
      this.#runs.push(run);
    }
    run.votes.add(line);
    run.count += 1;
    run.total += line.confidence;
  }

  /** Returns the texts of which each replaced the previous one; fewer than two for one text. */
  replacements(): readonly ReadingRun[] {
    const areSure = this.#runs.every(({ count, total }) => count >= LEAST_SAMPLES && total / count >= SURE);
    if (this.#flickers || !areSure) return [];
    const areOthers = this.#runs.every(
      ({ text }, at) => at === 0 || isOtherText(text, this.#runs[at - 1]?.text ?? text),
    );
    return areOthers ? this.#runs : [];
  }
}
