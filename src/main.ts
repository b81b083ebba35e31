/** Front door 1: the service, as `npm start` and systemd start it. */
import { stopSignals } from './stop-signals.ts';

const signal = stopSignals();
// Not before: a signal must find its handler while the parts are loaded.
const { serve } = await import('./serve.ts');
await serve(process.env, signal);
