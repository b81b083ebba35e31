import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { done, makeScaledVideos, recipe, type ScaledVideos } from './scaled-videos.ts';
import { hasSlurm, SlurmCluster } from './slurm-cluster.ts';

/** 40 in a long run: SCALE_VIDEOS=40 npx mocha dist/test/scale/slurm.test.js */
const VIDEOS = Number(process.env['SCALE_VIDEOS'] ?? 6);
/** Generous, for a busy machine. */
const VIDEO_WITHIN_MS = 150_000;
const NODES = 3;
const LOOK_EVERY_MS = 200;

describe('a Slurm job array over many videos', function () {
  this.timeout(VIDEOS * VIDEO_WITHIN_MS);
  let folder: string | undefined;
  let cluster: SlurmCluster;
  let videos: ScaledVideos;

  before(async function () {
    if (!hasSlurm()) {
      console.log('      skipped: Slurm is not installed (slurm-wlm, munge), or this user may not run its daemons');
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'reelstate-slurm-'));
    videos = await makeScaledVideos(folder, VIDEOS);
    cluster = await SlurmCluster.start(folder, NODES);
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('ends with the bytes of one machine, though tasks are killed, requeued and lost with their node', async () => {
    const output = join(videos.folder, 'results');
    const first = await submit(output);
    while (done(await videos.outcome(output)) === 0) await wait(LOOK_EVERY_MS);
    const [killed, requeued] = await runningTasks(first);
    if (killed !== undefined) await cluster.command('scancel', '--signal=KILL', '--full', killed);
    if (requeued !== undefined) await cluster.command('scontrol', 'requeue', requeued);
    await cluster.loseNode('node2');
    await ended(first);

    // The killed task is not run again by Slurm: the same command again resumes.
    await ended(await submit(output));
    expect(await videos.outcome(output)).to.deep.equal(videos.expected);
  });

  async function submit(output: string): Promise<string> {
    return cluster.command(
      'sbatch',
      '--parsable',
      `--array=1-${videos.count}`,
      '--cpus-per-task=1',
      '--mem=1000',
      `--export=ALL,REELSTATE=${videos.reelstate}`,
      recipe('slurm-array.sh'),
      recipe('.'),
      'videos.txt',
      output,
    );
  }

  const runningTasks = async (job: string): Promise<readonly string[]> =>
    (await cluster.command('squeue', '--noheader', '--array', '--states=RUNNING', '--format=%i', '--jobs', job))
      .split('\n')
      .filter((id) => id !== '');

  /** Resolves when no task of the job waits or runs. */
  async function ended(job: string): Promise<void> {
    while ((await cluster.command('squeue', '--noheader', '--format=%i', '--jobs', job).catch(() => '')) !== '') {
      await wait(LOOK_EVERY_MS);
    }
  }
});
