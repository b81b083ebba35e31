import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { z } from 'zod';

const run = promisify(execFile);
/** An unprivileged user; `nobody` on most systems. */
const ORDINARY_USER = 65534;
const IS_ROOT = process.getuid?.() === 0;
const OWN_VIDEO = 'read its own video';

const outputSchema = z.object({ levels: z.array(z.string()), outcomes: z.record(z.string(), z.string()) });
type Output = z.infer<typeof outputSchema>;

/** Sets the kernel's limits of namespaces to 0 in a user namespace of its own, and stays its root. */
const REFUSE_NAMESPACES =
  'for kind in user net; do echo 0 > /proc/sys/user/max_${kind}_namespaces || exit; done; exec "$@"';
const BEHIND_LIMITS = ['unshare', '--map-root-user', '--', 'sh', '-c', REFUSE_NAMESPACES, 'sh'] as const;
/** What makes root an ordinary user. */
const DROP_CAPABILITIES = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--'];

const NAMESPACES = [
  'with namespaces',
  'without the program for namespaces',
  'refused namespaces by the kernel',
] as const;

/** User of the service, its namespaces, and layers of its child. */
interface Circumstances {
  readonly user: 'root' | 'ordinary';
  readonly namespaces: (typeof NAMESPACES)[number];
  readonly layers?: 'all' | 'files' | 'system-calls' | 'none';
}

describe('A child that was taken over', () => {
  let folder: string;
  /** A PATH without the program that creates namespaces. */
  let programs: string;

  before(async function onLinux() {
    if (process.platform !== 'linux') this.skip();
    folder = await mkdtemp(join(tmpdir(), 'hostile-'));
    await chmod(folder, 0o755);
    programs = join(folder, 'programs');
    await mkdir(programs);
    // For any umask, because another user must find them.
    await chmod(programs, 0o755);
    for (const name of ['prlimit', 'setpriv']) await symlink(`/usr/bin/${name}`, join(programs, name));
  });

  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const outcomesOf = async ({ user, namespaces, layers = 'all' }: Circumstances): Promise<Output> => {
    const own = await mkdtemp(join(folder, 'run-'));
    if (IS_ROOT && user === 'ordinary') await chown(own, ORDINARY_USER, ORDINARY_USER);
    const asUser = ['setpriv', `--reuid=${ORDINARY_USER}`, `--regid=${ORDINARY_USER}`, '--clear-groups', '--'];
    const [command, ...args] = [
      ...(IS_ROOT && user === 'ordinary' ? asUser : []),
      ...(namespaces === 'refused namespaces by the kernel' ? BEHIND_LIMITS : []),
      ...(namespaces === 'refused namespaces by the kernel' && user === 'ordinary' ? DROP_CAPABILITIES : []),
      process.execPath,
      fileURLToPath(new URL('hostile-parent.js', import.meta.url)),
      join(own, 'data'),
      namespaces === 'without the program for namespaces' ? programs : (process.env['PATH'] ?? ''),
      layers,
    ];
    const { stdout } = await run(command, args, { env: { ...process.env, TMPDIR: own, API_KEYS: 'a secret' } });
    return outputSchema.parse(JSON.parse(stdout));
  };

  const canLimitNamespaces = async (): Promise<boolean> => {
    const [command, ...args] = [...BEHIND_LIMITS, 'true'] as const;
    return run(command, args).then(
      () => true,
      () => false,
    );
  };

  const notRefused = ({ outcomes }: Output): readonly string[] =>
    Object.entries(outcomes).flatMap(([name, outcome]) => (outcome === 'refused' ? [] : [`${name}: ${outcome}`]));

  for (const user of IS_ROOT ? (['root', 'ordinary'] as const) : (['ordinary'] as const)) {
    for (const namespaces of NAMESPACES) {
      it(`of ${user === 'root' ? 'root' : 'an ordinary user'} ${namespaces} can read its own video, and nothing else`, async function whereSupported() {
        if (namespaces === 'refused namespaces by the kernel' && !(await canLimitNamespaces())) this.skip();
        const output = await outcomesOf({ user, namespaces });
        if (!output.levels.includes('files') || !output.levels.includes('system-calls')) this.skip();
        expect(notRefused(output)).to.deep.equal([`${OWN_VIDEO}: done`]);
        expect(output.levels).to.include('capabilities');
        if (namespaces !== 'with namespaces') expect(output.levels).to.not.include('network');
      });
    }
  }

  it('cannot read files of the service with Landlock alone, nor change anything with seccomp alone', async function whereSupported() {
    const files = await outcomesOf({
      user: 'ordinary',
      namespaces: 'without the program for namespaces',
      layers: 'files',
    });
    if (!files.levels.includes('files') || !files.levels.includes('system-calls')) this.skip();
    expect(files.outcomes).to.include({
      [OWN_VIDEO]: 'done',
      'read the environment of the service': 'refused',
      'open the memory of the service': 'refused',
      'trace the service': 'refused',
      'take a descriptor of the service': 'refused',
      'read another video': 'refused',
      'read the database': 'refused',
      'write to the database': 'refused',
      'plant a model': 'refused',
      'delete a video': 'refused',
      'run a shell': 'refused',
    });
    const calls = await outcomesOf({
      user: 'ordinary',
      namespaces: 'without the program for namespaces',
      layers: 'system-calls',
    });
    expect(calls.outcomes).to.include({
      [OWN_VIDEO]: 'done',
      'trace the service': 'refused',
      'take a descriptor of the service': 'refused',
      'signal the service': 'refused',
      'write to the database': 'refused',
      'open the database to everybody': 'refused',
      'plant a model': 'refused',
      'delete a video': 'refused',
      'connect by TCP': 'refused',
      'send by UDP': 'refused',
      'create a namespace': 'refused',
      'run a shell': 'refused',
    });
  });

  it('without isolation does what it tries, so that a refusal above means something', async () => {
    const { outcomes } = await outcomesOf({
      user: 'ordinary',
      namespaces: 'without the program for namespaces',
      layers: 'none',
    });
    expect(outcomes).to.include({
      'read the environment of the service': 'done',
      'signal the service': 'done',
      'list the videos': 'done',
      'read another video': 'done',
      'read the database': 'done',
      'read the keys': 'done',
      'write to the database': 'done',
      'open the database to everybody': 'done',
      'delete a video': 'done',
      'plant a model': 'done',
      'connect by TCP': 'done',
      'connect to a socket of the file system': 'done',
      'send by UDP': 'done',
      'run a shell': 'done',
    });
  });
});
