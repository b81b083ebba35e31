/** Why the process ends early, and its exit code. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  /** 128 and the number of the signal. */
  readonly exitCode: 130 | 141 | 143;

  constructor(message: string, exitCode: 130 | 141 | 143) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Installs the only handlers of SIGINT and SIGTERM. The first signal aborts with an `Interruption`; a second one ends
 * the process at once. This module imports nothing, so that an entry point installs the handlers before it loads
 * anything else: Node.js as process 1 of a container ignores a signal without a handler.
 */
export function stopSignals(): AbortSignal {
  const stop = new AbortController();
  const on = (name: 'SIGINT' | 'SIGTERM', interruption: Interruption): void => {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(interruption.exitCode);
      stop.abort(interruption);
    });
  };
  on('SIGINT', new Interruption('interrupted', 130));
  on('SIGTERM', new Interruption('terminated', 143));
  return stop.signal;
}
