import { printable } from './printable.ts';

/** The part of a terminal that is drawn on. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const BAR_CELLS = 24;
const CLEAR = '\r\u001B[2K';

/** One line that is drawn over itself while something goes on; nothing at all where there is no terminal. */
export class StatusLine {
  readonly #screen: Screen;
  #text = '';
  #frame = 0;
  #drawnMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** A bar for work whose end is known. */
  bar(label: string, done: number, all: number): void {
    const nowMs = performance.now();
    if (done < all && nowMs - this.#drawnMs < FRAME_MS) return;
    this.#drawnMs = nowMs;
    const share = all === 0 ? 1 : done / all;
    const cells = Math.floor(share * BAR_CELLS);
    this.#stop();
    this.#draw(`${'█'.repeat(cells)}${'░'.repeat(BAR_CELLS - cells)} ${Math.floor(share * 100)} %  ${label}`);
  }

  /** A wheel that turns for work whose end is not known. */
  spin(label: string): void {
    this.#text = label;
    if (this.#screen.isTTY !== true || this.#timer !== undefined) return;
    const turn = (): void => {
      this.#frame = (this.#frame + 1) % FRAMES.length;
      this.#draw(`${FRAMES[this.#frame] ?? ''} ${this.#text}`);
    };
    turn();
    this.#timer = setInterval(turn, FRAME_MS);
  }

  /** Leaves no trace of it. */
  clear(): void {
    this.#stop();
    if (this.#screen.isTTY === true) this.#screen.write(CLEAR);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #draw(line: string): void {
    // A line that wraps could not be drawn over. Some terminals say that they have no columns.
    const columns = Math.max(this.#screen.columns ?? 0, 80);
    if (this.#screen.isTTY === true) this.#screen.write(CLEAR + printable(line).slice(0, columns - 1));
  }
}
