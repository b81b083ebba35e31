/** Front door 1: the service, as `npm start` and systemd start it. */
import { serve } from './serve.ts';

await serve(process.env);
