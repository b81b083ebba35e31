import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../free-port.ts';

const run = promisify(execFile);
const LOOK_EVERY_MS = 200;
/** Until the controller takes a silent node for lost. */
const LOST_AFTER_S = 10;
/** Marks the daemon of a node and what it starts. */
const NODE_VARIABLE = 'REELSTATE_TEST_NODE';
const PROGRAMS = ['munged', 'slurmctld', 'slurmd', 'sbatch'];

/** False where Slurm is not installed, or cannot run: its daemons start the tasks of other users, which takes root. */
export const hasSlurm = (): boolean =>
  userInfo().uid === 0 && PROGRAMS.every((program) => spawnSync('which', [program]).status === 0);

/** A Slurm cluster of several nodes on this machine, in one folder. Disposing it ends everything that it started. */
export class SlurmCluster {
  readonly #folder: string;
  readonly #nodes: readonly string[];
  readonly #daemons = new Map<string, ChildProcess>();

  private constructor(folder: string, nodes: readonly string[]) {
    this.#folder = folder;
    this.#nodes = nodes;
  }

  static async start(folder: string, nodeCount: number): Promise<SlurmCluster> {
    const nodes = Array.from({ length: nodeCount }, (_, index) => `node${index + 1}`);
    const cluster = new SlurmCluster(folder, nodes);
    try {
      await cluster.#start();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** Runs one of Slurm's commands; resolves with what it prints. */
  async command(program: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await run(program, args, { cwd: this.#folder, env: this.#environment() });
    return stdout.trim();
  }

  /** Kills the daemon of a node and all that it runs, as a loss of power would. */
  async loseNode(node: string): Promise<void> {
    await this.#kill(node);
    await killWithVariable(`${NODE_VARIABLE}=${this.#mark(node)}`);
    await killWithVariable(`SLURMD_NODENAME=${node}`, `SLURM_CONF=${this.#configuration}`);
  }

  /** Starts the daemon of a lost node again. */
  restoreNode(node: string): void {
    this.#startNode(node);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.#nodes) await this.loseNode(node);
    for (const name of ['slurmctld', 'munged']) await this.#kill(name);
  }

  async #start(): Promise<void> {
    const folder = this.#folder;
    for (const name of ['state', 'spool', 'munge']) await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
    await chmod(folder, 0o755);
    const munge = join(folder, 'munge');
    await writeFile(join(munge, 'key'), randomBytes(1024), { mode: 0o400 });
    const socket = join(folder, 'munge.socket');
    this.#daemons.set(
      'munged',
      this.#daemon(
        'munged',
        ['--foreground', '--force', `--key-file=${munge}/key`, `--socket=${socket}`].concat(
          `--pid-file=${munge}/pid`,
          `--log-file=${munge}/log`,
          `--seed-file=${munge}/seed`,
        ),
      ),
    );
    const ports = await Promise.all(this.#nodes.map(freePort));
    await writeFile(
      join(folder, 'slurm.conf'),
      [
        'ClusterName=local',
        `SlurmctldHost=${hostname()}(127.0.0.1)`,
        `SlurmctldPort=${await freePort()}`,
        'SlurmUser=root',
        'AuthType=auth/munge',
        `AuthInfo=socket=${socket}`,
        `StateSaveLocation=${folder}/state`,
        `SlurmdSpoolDir=${folder}/spool/%n`,
        `SlurmctldPidFile=${folder}/slurmctld.pid`,
        `SlurmdPidFile=${folder}/slurmd.%n.pid`,
        'ProctrackType=proctrack/linuxproc',
        'TaskPlugin=task/none',
        'SchedulerType=sched/builtin',
        'SelectType=select/cons_tres',
        'SelectTypeParameters=CR_Core',
        'ReturnToService=2',
        `SlurmdTimeout=${LOST_AFTER_S}`,
        // The nodes share this machine: what they declare is not what it has.
        'SlurmdParameters=config_overrides',
        ...this.#nodes.map(
          (node, index) =>
            `NodeName=${node} NodeHostname=${hostname()} NodeAddr=127.0.0.1 Port=${ports[index]} CPUs=1 RealMemory=4000`,
        ),
        'PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP',
        '',
      ].join('\n'),
    );
    await this.#daemonsAnswer(['munge', '-n', '-S', socket]);
    this.#daemons.set('slurmctld', this.#daemon('slurmctld', ['-D', '-c']));
    for (const node of this.#nodes) {
      await mkdir(join(folder, 'spool', node), { recursive: true });
      this.#startNode(node);
    }
    await this.#daemonsAnswer(['sinfo', '--noheader', '--states=idle', '--Format=nodes'], String(this.#nodes.length));
  }

  /** Waits until a command succeeds and prints `answer`. */
  async #daemonsAnswer([program = '', ...args]: readonly string[], answer = ''): Promise<void> {
    for (;;) {
      const printed = await this.command(program, ...args).catch(() => undefined);
      if (printed !== undefined && (answer === '' || printed === answer)) return;
      for (const [name, daemon] of this.#daemons) {
        if (daemon.exitCode !== null) throw new Error(`${name} ended with ${daemon.exitCode}`);
      }
      await wait(LOOK_EVERY_MS);
    }
  }

  get #configuration(): string {
    return join(this.#folder, 'slurm.conf');
  }

  #environment(): NodeJS.ProcessEnv {
    return { ...process.env, SLURM_CONF: this.#configuration };
  }

  #mark(node: string): string {
    return `${this.#folder}/${node}`;
  }

  #startNode(node: string): void {
    this.#daemons.set(node, this.#daemon('slurmd', ['-D', '-N', node], { [NODE_VARIABLE]: this.#mark(node) }));
  }

  #daemon(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): ChildProcess {
    return spawn(program, args, { cwd: this.#folder, env: { ...this.#environment(), ...more }, stdio: 'ignore' });
  }

  async #kill(name: string): Promise<void> {
    const daemon = this.#daemons.get(name);
    this.#daemons.delete(name);
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
    daemon.kill('SIGKILL');
    await once(daemon, 'exit');
  }
}

/** Kills every process whose environment has all these assignments. */
async function killWithVariable(...assignments: readonly string[]): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    const variables = new Set(environment.split('\0'));
    if (!assignments.every((assignment) => variables.has(assignment))) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}
