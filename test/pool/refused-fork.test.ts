import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

describe('ProcessPool on a machine that refuses new processes', () => {
  before(function onLinux() {
    if (process.platform !== 'linux') this.skip();
  });

  it('retries until a process can be started, and is not ready before', async () => {
    const service = spawn('prlimit', [
      '--nofile=256',
      '--',
      process.execPath,
      fileURLToPath(new URL('exhausted-parent.js', import.meta.url)),
      new URL('children/steady-child.js', import.meta.url).href,
    ]);
    try {
      // The log line: the fork was refused and will be retried.
      const [logged] = await once(createInterface({ input: service.stderr }), 'line');
      expect(JSON.parse(String(logged)))
        .to.deep.include({ level: 40 })
        .and.to.have.nested.property('err.code', 'child_unavailable');
      expect(String(logged)).to.contain('EMFILE').and.contain('retry_in_ms');
      const lines = createInterface({ input: service.stdout })[Symbol.asyncIterator]();
      service.stdin.write('\n');
      expect(JSON.parse(String((await lines.next()).value))).to.deep.equal({ ready: false });
      expect(JSON.parse(String((await lines.next()).value))).to.deep.equal({ ready: true, children: 1 });
    } finally {
      service.stdin.destroy();
      if (service.exitCode === null && service.signalCode === null) await once(service, 'exit');
    }
  });
});
