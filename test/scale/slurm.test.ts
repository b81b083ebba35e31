import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { showsImported } from './imported-results.ts';
import { done, makeScaledVideos, recipe, type ScaledVideos } from './scaled-videos.ts';
import { hasSlurm, SlurmCluster } from './slurm-cluster.ts';

/** 40 in a long run: SCALE_VIDEOS=40 npx mocha dist/test/scale/slurm.test.js */
const VIDEOS = Number(process.env['SCALE_VIDEOS'] ?? 4);
/** For a busy machine: the start of the daemons, a lost node, the delay of a requeued task, and each video. */
const WITHIN_MS = 1_200_000 + VIDEOS * 120_000;
const NODES = 3;
const LOOK_EVERY_MS = 200;

describe('a Slurm job array over many videos', function () {
  this.timeout(WITHIN_MS);
  let folder: string | undefined;
  let cluster: SlurmCluster;
  let videos: ScaledVideos;
  let output: string;

  before(async function () {
    if (!hasSlurm()) {
      console.log('      skipped: Slurm is not installed (slurm-wlm, munge), or this user may not run its daemons');
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'reelstate-slurm-'));
    videos = await makeScaledVideos(folder, VIDEOS);
    output = join(videos.folder, 'results');
    cluster = await SlurmCluster.start(folder, NODES);
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('ends with the bytes of one machine, though tasks are killed, requeued and lost with their node', async () => {
    const first = await submit();
    const disturb = [
      async ({ task }: RunningTask) => {
        await cluster.command('scancel', '--signal=KILL', '--full', task);
        tell(`task ${task} killed`);
      },
      async ({ task }: RunningTask) => {
        await cluster.command('scontrol', 'requeue', task);
        tell(`task ${task} requeued`);
      },
      async ({ task, node }: RunningTask) => {
        await cluster.loseNode(node);
        tell(`${node} lost with task ${task}`);
        return node;
      },
    ];
    let lost: string | undefined;
    for (const [index, act] of disturb.entries()) {
      while (done(await videos.outcome(output)) <= (index * VIDEOS) / 8) await wait(LOOK_EVERY_MS);
      lost = (await act(await runningTask(first))) ?? lost;
    }
    await ended(first);
    const doneFirst = done(await videos.outcome(output));
    tell(`job ${first} ended: ${doneFirst} of ${VIDEOS} videos done`);
    if (lost !== undefined) cluster.restoreNode(lost);

    // Slurm does not run the killed task again: the same command resumes.
    const second = await submit();
    await ended(second);
    expect(await videos.outcome(output)).to.deep.equal(videos.expected);
    const lines = await linesOf(second);
    const count = (status: string): number => lines.filter((line) => line.startsWith(`${status}  `)).length;
    expect([count('skipped'), count('completed')]).to.deep.equal([doneFirst, VIDEOS - doneFirst]);
    tell(
      `job ${second} ended: ${count('skipped')} skipped, ${count('completed')} analysed; ${videos.expected.size} files equal`,
    );
  });

  it('has results that a service shows in search, SQL and pages', () => showsImported(videos, output));

  async function submit(): Promise<string> {
    return cluster.command(
      'sbatch',
      '--parsable',
      `--array=1-${VIDEOS}`,
      '--cpus-per-task=1',
      '--mem=1000',
      `--export=ALL,REELSTATE=${videos.reelstate}`,
      recipe('slurm-array.sh'),
      recipe('.'),
      'videos.txt',
      output,
    );
  }

  interface RunningTask {
    readonly task: string;
    readonly node: string;
  }

  async function runningTask(job: string): Promise<RunningTask> {
    for (;;) {
      const tasks = await cluster.command('squeue', '--noheader', '--array', '--format=%i %N %T', '--jobs', job);
      const running = /^(\S+) (\S+) RUNNING$/m.exec(tasks);
      if (running?.[1] !== undefined && running[2] !== undefined) return { task: running[1], node: running[2] };
      await wait(LOOK_EVERY_MS);
    }
  }

  /** Resolves when no task of the job waits or runs. */
  async function ended(job: string): Promise<void> {
    while ((await cluster.command('squeue', '--noheader', '--format=%i', '--jobs', job).catch(() => '')) !== '') {
      await wait(LOOK_EVERY_MS);
    }
  }

  /** What the tasks of a job printed. */
  async function linesOf(job: string): Promise<readonly string[]> {
    const logs = (await readdir(videos.folder)).filter((name) => name.startsWith(`reelstate-${job}_`));
    const texts = await Promise.all(logs.map((name) => readFile(join(videos.folder, name), 'utf8')));
    return texts.flatMap((text) => text.split('\n'));
  }
});

const tell = (line: string): void => console.log(`      ${line}`);
