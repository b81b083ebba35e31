/** Entry point of the service for `npm start` and systemd. */
import { stopSignals } from './stop-signals.ts';

const signal = stopSignals();
// Imported here, so that a signal during loading has a handler.
const { serve } = await import('./serve.ts');
await serve(process.env, signal);
