import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { printable } from './printable.ts';
import { StatusLine, type Screen } from './status-line.ts';

export interface TerminalOptions {
  readonly stdout: Writable;
  readonly stderr: Writable & Screen;
  /** Aborted, with an `Interruption`, when the command is to end. */
  readonly signal: AbortSignal;
}

/** Where a command runs: data goes to stdout and nothing else does; what is said to people goes to stderr. */
export class Terminal {
  readonly signal: AbortSignal;
  readonly line: StatusLine;
  readonly #stdout: Writable;
  readonly #stderr: Writable;
  /** True when a part of what was asked failed, and the rest was done. */
  hasFailed = false;

  constructor({ stdout, stderr, signal }: TerminalOptions) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.signal = signal;
    this.line = new StatusLine(stderr);
  }

  /** Resolves when more can be taken: a slow reader slows the command, and fills no memory. */
  async write(text: string): Promise<void> {
    this.signal.throwIfAborted();
    if (!this.#stdout.write(text)) await once(this.#stdout, 'drain', { signal: this.signal });
  }

  async print(line: string): Promise<void> {
    this.line.clear();
    await this.write(`${line}\n`);
  }

  /** One JSON object a line. */
  printJson(value: unknown): Promise<void> {
    return this.print(JSON.stringify(value));
  }

  note(text: string): void {
    this.line.clear();
    this.#stderr.write(`${printable(text)}\n`);
  }

  /** Something failed, and the rest goes on. */
  readonly fail = (text: string): void => {
    this.hasFailed = true;
    this.note(text);
  };
}
