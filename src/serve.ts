import { parseConfig } from './config.ts';
import { messageOf } from './errors.ts';
import { createLog } from './log.ts';
import { createService } from './service.ts';

/** Environment, service, ready line, signals, drain: the process is the service's from here on. The only `process.exit`. */
export async function serve(environment: Readonly<Record<string, string | undefined>>): Promise<void> {
  // A closed terminal or pipe ends what is printed, not the service.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  process.on('SIGHUP', () => {});

  try {
    const config = parseConfig(environment);
    const log = createLog(config.LOG_LEVEL);
    const service = await createService(config, log);
    let stopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      // Nothing is lost by it: what was accepted is committed, and the next start takes it up.
      if (stopping) process.exit(130);
      stopping = true;
      log.info({ signal, grace_ms: config.SHUTDOWN_GRACE_MS }, 'draining; a second signal exits at once');
      service.close().then(
        () => process.exit(0),
        (error: unknown) => {
          log.fatal({ err: error }, 'shutdown failed');
          process.exit(1);
        },
      );
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);

    log.info({ url: service.url }, 'ready');
    process.stdout.write(`Reelstate ready at ${service.url}\n`);
  } catch (error) {
    process.stderr.write(`reelstate: ${messageOf(error)}\n`);
    process.exit(1);
  }
}
