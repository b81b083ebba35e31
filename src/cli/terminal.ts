import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { ExitCode } from './exit-code.ts';
import { printable } from './printable.ts';
import { StatusLine, type Screen } from './status-line.ts';

export interface TerminalOptions {
  readonly stdout: Writable;
  readonly stderr: Writable & Screen;
  /** Aborted with an `Interruption` when the command must end. */
  readonly signal: AbortSignal;
}

/** Output of a command: data goes to stdout, messages for people go to stderr. */
export class Terminal {
  readonly signal: AbortSignal;
  readonly line: StatusLine;
  readonly #stdout: Writable;
  readonly #stderr: Writable;
  #exitCode: ExitCode = 0;

  constructor({ stdout, stderr, signal }: TerminalOptions) {
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.signal = signal;
    this.line = new StatusLine(stderr);
  }

  /** Exit code of a command that ran to its end: that of its worst failure, where 1 is worse than 3. */
  get exitCode(): ExitCode {
    return this.#exitCode;
  }

  /** Resolves when stdout accepts more: a slow reader slows the command instead of filling memory. */
  async write(text: string): Promise<void> {
    this.signal.throwIfAborted();
    if (!this.#stdout.write(text)) await once(this.#stdout, 'drain', { signal: this.signal });
  }

  async print(line: string): Promise<void> {
    this.line.clear();
    await this.write(`${line}\n`);
  }

  /** Writes help and usage errors, which are already formatted. */
  writeLaidOut(stream: 'stdout' | 'stderr', text: string): void {
    (stream === 'stdout' ? this.#stdout : this.#stderr).write(text);
  }

  /** Prints one JSON object per line. */
  printJson(value: unknown): Promise<void> {
    return this.print(JSON.stringify(value));
  }

  note(text: string): void {
    this.line.clear();
    this.#stderr.write(`${printable(text)}\n`);
  }

  /** Records a failure that does not end the command: 1 for the service or machine, 3 for a video or job. */
  recordFailure(exitCode: 1 | 3): void {
    if (this.#exitCode !== 1) this.#exitCode = exitCode;
  }

  /** Prints the message of a failure and records it. */
  fail(text: string, exitCode: 1 | 3): void {
    this.recordFailure(exitCode);
    this.note(text);
  }
}
