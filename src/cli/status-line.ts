import { printable } from './printable.ts';

/** The used part of a terminal. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const BAR_CELLS = 24;
const CLEAR = '\r\u001B[2K';

/** One status line that is redrawn in place. Prints nothing without a terminal. */
export class StatusLine {
  readonly #screen: Screen;
  #text = '';
  #frame = 0;
  #drawnMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Draws a progress bar. */
  bar(label: string, done: number, all: number): void {
    const nowMs = performance.now();
    if (done < all && nowMs - this.#drawnMs < FRAME_MS) return;
    this.#drawnMs = nowMs;
    const share = all === 0 ? 1 : done / all;
    const cells = Math.floor(share * BAR_CELLS);
    this.#stop();
    this.#draw(`${'█'.repeat(cells)}${'░'.repeat(BAR_CELLS - cells)} ${Math.floor(share * 100)} %  ${label}`);
  }

  /** Draws a spinner for work of unknown length. */
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

  /** Erases the line. */
  clear(): void {
    this.#stop();
    if (this.#screen.isTTY === true) this.#screen.write(CLEAR);
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #draw(line: string): void {
    // A wrapped line could not be erased. Some terminals report zero columns.
    const columns = Math.max(this.#screen.columns ?? 0, 80);
    if (this.#screen.isTTY === true) this.#screen.write(CLEAR + printable(line).slice(0, columns - 1));
  }
}
