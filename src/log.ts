import { destination, pino, type Logger } from 'pino';

export type Log = Logger;

/** JSON lines on stderr. stdout only has the ready line. `level` is a pino level name or `silent`. */
export function createLog(level: string): Log {
  const stderr = destination({ fd: 2, sync: true });
  // A closed terminal or pipe ends the log, not the service.
  stderr.on('error', () => {});
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stderr);
}
