import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { freePort } from '../free-port.ts';
import { done, makeScaledVideos, recipe, type ScaledVideos } from './scaled-videos.ts';

const VIDEOS = 4;
const LOOK_EVERY_MS = 100;
const SSHD = '/usr/sbin/sshd';

describe('GNU parallel over many videos', function () {
  let folder: string | undefined;
  let videos: ScaledVideos;

  before(async function () {
    if (spawnSync('parallel', ['--version']).status !== 0) {
      console.log('      skipped: GNU parallel is not installed');
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'reelstate-parallel-'));
    videos = await makeScaledVideos(folder, VIDEOS);
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('resumes after a kill and ends with the bytes of one process', async () => {
    const output = join(videos.folder, 'resumed');
    const killed = start(output);
    while (done(await videos.outcome(output)) === 0) await wait(LOOK_EVERY_MS);
    // The whole group, as a lost machine would.
    if (killed.pid !== undefined) process.kill(-killed.pid, 'SIGKILL');
    await once(killed, 'exit');

    const [code] = await once(start(output), 'exit');
    expect(code).to.equal(0);
    expect(await videos.outcome(output)).to.deep.equal(videos.expected);
  });

  it('tells a video that failed by exit code 3, and analyses the others', async () => {
    const output = join(videos.folder, 'failed');
    await writeFile(join(videos.folder, 'camera-0', 'not-a-video.mp4'), 'text');
    await writeFile(join(videos.folder, 'two.txt'), 'camera-0/not-a-video.mp4\ncamera-0/clip-0.mp4\n');
    const [code] = await once(start(output, 'two.txt'), 'exit');
    expect(code).to.equal(3);
    expect(done(await videos.outcome(output))).to.equal(1);
  });

  it('spreads the videos over two hosts by ssh', async function () {
    if (spawnSync('test', ['-x', SSHD]).status !== 0 || userInfo().uid !== 0) {
      console.log('      skipped: openssh-server is not installed, or this user may not run it');
      this.skip();
    }
    const hosts = await Promise.all(['one', 'two'].map((name) => startHost(videos.folder, name)));
    try {
      const output = join(videos.folder, 'spread');
      await writeFile(join(videos.folder, 'hosts'), hosts.map(({ login }) => `2/${login}\n`).join(''));
      const [code] = await once(start(output, 'videos.txt', { HOSTS: 'hosts', JOBS: '1' }), 'exit');
      expect(code).to.equal(0);
      expect(await videos.outcome(output)).to.deep.equal(videos.expected);
      const log = await readFile(join(output, 'joblog'), 'utf8');
      for (const { port } of hosts) expect(log).to.contain(`-p ${port} `);
    } finally {
      for (const { daemon } of hosts) {
        daemon.kill('SIGKILL');
        await once(daemon, 'exit');
      }
    }
  });

  function start(output: string, list = 'videos.txt', more: NodeJS.ProcessEnv = {}): ChildProcess {
    return spawn(recipe('parallel.sh'), [list, output, '--threads', '1'], {
      cwd: videos.folder,
      env: { ...process.env, REELSTATE: videos.reelstate, JOBS: '2', HOME: videos.folder, ...more },
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true,
    });
  }
});

/** An ssh server of our own on a free port of 127.0.0.1, with a key of its own for the present user. */
async function startHost(folder: string, name: string) {
  const key = join(folder, `${name}-key`);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const authorized = join(folder, `${name}-authorized`);
  await writeFile(authorized, await readFile(`${key}.pub`), { mode: 0o600 });
  await chmod(folder, 0o755);
  const port = await freePort();
  const configuration = join(folder, `${name}-sshd`);
  await writeFile(
    configuration,
    `ListenAddress 127.0.0.1:${port}\nHostKey ${key}\nAuthorizedKeysFile ${authorized}\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n`,
  );
  execFileSync('mkdir', ['-p', '/run/sshd']);
  const daemon = spawn(SSHD, ['-D', '-e', '-f', configuration], { stdio: ['ignore', 'ignore', 'ignore'] });
  const options = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR';
  return { port, daemon, login: `ssh -p ${port} -i ${key} ${options} ${userInfo().username}@127.0.0.1` };
}
