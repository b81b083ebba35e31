/** A child that lives, and is never ready for a job. */
import { worker } from 'workerpool';

worker({
  pid: () => process.pid,
  start: () => {
    for (;;);
  },
});
