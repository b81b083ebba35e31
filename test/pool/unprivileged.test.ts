import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { getPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

/** An unprivileged user; `nobody` on most systems. */
const ORDINARY_USER = '65534';
const CHILDREN = 6;

describe('ProcessPool of an ordinary user', function () {
  before(function onLinux() {
    if (process.platform !== 'linux') this.skip();
  });

  it('starts several children at once, and lowers the priority of each', async () => {
    const program = [
      process.execPath,
      fileURLToPath(new URL('doomed-parent.js', import.meta.url)),
      new URL('../../src/pool/child.js', import.meta.url).href,
      String(CHILDREN),
    ];
    const asUser = ['setpriv', `--reuid=${ORDINARY_USER}`, `--regid=${ORDINARY_USER}`, '--clear-groups', '--'];
    const [command = '', ...args] = process.getuid?.() === 0 ? [...asUser, ...program] : program;
    const service = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let errors = '';
    service.stderr.on('data', (text: Buffer) => {
      errors += String(text);
    });
    try {
      const output = Promise.race([once(service.stdout, 'data'), once(service, 'close').then(() => [])]);
      const pids =
        String((await output)[0])
          .match(/\d+/g)
          ?.map(Number) ?? [];
      expect(pids, errors).to.have.length(CHILDREN);
      for (const pid of pids) expect(getPriority(pid)).to.be.greaterThan(getPriority());
    } finally {
      service.stdin.end();
      if (service.exitCode === null && service.signalCode === null) await once(service, 'exit');
    }
  });
});
