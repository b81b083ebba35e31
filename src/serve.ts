import { setTimeout } from 'node:timers/promises';
import { parseConfig, removeSecrets, SECRETS } from './config.ts';
import { messageOf, ServiceError } from './errors.ts';
import { createLog, type Log } from './log.ts';
import { protectProcess } from './pool/self-protection.ts';
import { createService, type Service } from './service.ts';
import { Interruption } from './stop-signals.ts';

/** Milliseconds that an aborted start has to close what it opened. Nothing is lost if it does not. */
const ABANDON_AFTER_MS = 5_000;

/**
 * Runs the service until it ends, and sets the exit code.
 * @param stop aborted with an `Interruption` by the first signal; a second signal ends the process directly
 */
export async function serve(environment: Record<string, string | undefined>, stop: AbortSignal): Promise<never> {
  // A closed terminal or pipe ends the output, not the service.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  process.on('SIGHUP', () => {});
  try {
    process.exit(await run(environment, stop));
  } catch (error) {
    if (error instanceof Interruption) process.exit(error.exitCode);
    const hint = error instanceof ServiceError && error.hint !== undefined ? `. ${error.hint}` : '';
    process.stderr.write(`reelstate: ${messageOf(error)}${hint}\n`);
    process.exit(1);
  }
}

/** Resolves with 0 after a drain. Rejects with the `Interruption` before the service listened, or with the error. */
async function run(environment: Record<string, string | undefined>, stop: AbortSignal): Promise<0> {
  stop.throwIfAborted();
  const config = parseConfig(environment);
  await protectProcess([...SECRETS]);
  removeSecrets(environment);
  const log = createLog(config.LOG_LEVEL);
  const stopped = aborted(stop);
  const starting = createService(config, { log, signal: stop });
  const service = await Promise.race([starting, stopped.then(() => abandoned(starting, stop))]);
  log.info({ url: service.url }, 'listening');

  const drain = async (reason: string): Promise<void> => {
    log.info({ reason, grace_ms: config.SHUTDOWN_GRACE_MS }, 'draining; a second signal exits at once');
    await service.close();
  };
  try {
    await Promise.race([service.ready, stopped]);
  } catch (error) {
    log.fatal({ err: error }, 'the processes that analyse videos cannot be started');
    await drain('nothing can be analysed');
    throw error;
  }
  if (!stop.aborted) announce(service.url, log);
  await stopped;
  await drain(messageOf(stop.reason));
  return 0;
}

function announce(url: string, log: Log): void {
  log.info({ url }, 'ready');
  process.stdout.write(`Reelstate ready at ${url}\n`);
}

/**
 * Rejects with the reason of the stop when the start has closed what it opened, or takes too long. The start may have
 * succeeded.
 */
async function abandoned(starting: Promise<Service>, stop: AbortSignal): Promise<Service> {
  const service = await Promise.race([starting, setTimeout(ABANDON_AFTER_MS, undefined)]).catch(() => undefined);
  if (service === undefined) throw stop.reason;
  return service;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
