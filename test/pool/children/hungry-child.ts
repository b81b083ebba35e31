/** A child that fills memory as long as it gets any. */
import { worker } from 'workerpool';

const hoard: Buffer[] = [];

worker({
  pid: () => process.pid,
  start: () => ({ notices: [] }),
  open: () => {},
  next: async () => {
    hoard.push(Buffer.alloc(8 * 1024 * 1024, 1));
    return { decoded: hoard.length, frames: [], done: false };
  },
});
