import type { TaskReport } from './run-batch.ts';

/** Counts the outcomes of a batch. */
export class Tally {
  readonly #videos: number;
  readonly #failed = new Map<string, number>();
  #done = 0;
  #skipped = 0;

  constructor(videos: number) {
    this.#videos = videos;
  }

  add(report: TaskReport): void {
    if (report.status === 'failed') this.#failed.set(report.code, (this.#failed.get(report.code) ?? 0) + 1);
    else if (report.status === 'done') this.#done += 1;
    else this.#skipped += 1;
  }

  get ended(): number {
    return this.#done + this.#skipped + this.#failures;
  }

  get #failures(): number {
    return [...this.#failed.values()].reduce((sum, count) => sum + count, 0);
  }

  /** As JSON: `failed` by reason; `open` are the videos that an interrupted batch did not reach. */
  toJSON() {
    return {
      videos: this.#videos,
      done: this.#done,
      skipped: this.#skipped,
      failed: Object.fromEntries([...this.#failed].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      open: this.#videos - this.ended,
    };
  }

  toString(): string {
    const { videos, done, skipped, failed, open } = this.toJSON();
    const reasons = Object.entries(failed).map(([code, count]) => `${count} ${code}`);
    const failures = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
    const rest = open === 0 ? '' : `, ${open} open`;
    return `${videos} videos: ${done} done, ${skipped} skipped, ${this.#failures} failed${failures}${rest}`;
  }
}
