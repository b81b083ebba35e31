/** A child whose main thread never comes back from a job. */
import { worker } from 'workerpool';

worker({
  pid: () => process.pid,
  start: () => ({ notices: [] }),
  open: () => {
    for (;;);
  },
});
