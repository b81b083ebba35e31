/**
 * A compromised child: for each attack on the service, its data and the machine, it yields a frame with the outcome.
 * Reads its parameters from the folder of models.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createSocket } from 'node:dgram';
import { connect, type NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { z } from 'zod';
import { answerService } from '../../../src/pool/child-door.ts';
import { CHECKED_CALLS, DENIED_CALLS } from '../../../src/pool/sandbox/system-call-numbers.ts';
import { noPictures } from './no-pictures.ts';

type Attempt = readonly [name: string, attempt: () => unknown];

const REFUSALS: ReadonlySet<string> = new Set(['EPERM', 'EACCES', 'ENOSYS']);
const PTRACE_SEIZE = 0x4206;
const RLIMIT_NOFILE = 7;
const CLONE_NEWUSER = 0x10000000;

const service = process.ppid;
const syscall = koffi.load(null).func('long syscall(long, long, long, void *, void *, long)');
const numbers = new Map<string, readonly (number | undefined)[]>(Object.entries({ ...DENIED_CALLS, ...CHECKED_CALLS }));
let attempts: readonly Attempt[] = [];
let next = 0;

answerService({
  ...noPictures,
  start: async ({ modelsFolder = '' }) => {
    const port = z.coerce.number().parse(readFileSync(join(modelsFolder, 'port.txt'), 'utf8'));
    attempts = [...onService(), ...onData(modelsFolder), ...onNetwork(modelsFolder, port), ...onKernel(modelsFolder)];
    return { ffmpeg: 'none' };
  },
  warm: async () => {},
  open: async ({ filePath }) => {
    attempts = [
      ['read its own video', () => readFileSync(filePath)],
      ['write to its own video', () => closeSync(openSync(filePath, 'r+'))],
      ['write beside its own video', () => writeFileSync(join(dirname(filePath), 'more.txt'), '')],
      ...attempts,
    ];
  },
  next: async () => {
    const [name, attempt] = attempts[next] ?? ['', () => {}];
    const frame = { frame_index: next, result: { timestamp_ms: next, name, outcome: await outcomeOf(attempt) } };
    next += 1;
    return { decoded: next, frames: [frame], done: next === attempts.length };
  },
});

function onService(): readonly Attempt[] {
  return [
    ['read the environment of the service', () => readFileSync(`/proc/${service}/environ`)],
    ['open the memory of the service', () => closeSync(openSync(`/proc/${service}/mem`, 'r+'))],
    ['list the descriptors of the service', () => readdirSync(`/proc/${service}/fd`)],
    ['trace the service', () => call('ptrace', PTRACE_SEIZE, service)],
    ['take a descriptor of the service', () => call('pidfd_getfd', call('pidfd_open', service), 1)],
    ['signal the service', () => process.kill(service, 0)],
    ['lower the limits of the service', () => call('prlimit64', service, RLIMIT_NOFILE)],
    ['lower the priority of the service', () => call('setpriority', 0, service, 1)],
    ['leave its process group', () => call('setsid')],
  ];
}

function onData(modelsFolder: string): readonly Attempt[] {
  const data = dirname(modelsFolder);
  const videos = join(data, 'video_jobs');
  const database = join(data, 'jobs.duckdb');
  return [
    ['list the videos', () => readdirSync(videos)],
    ['read another video', () => readFileSync(join(videos, 'other.mp4'))],
    ['read the database', () => readFileSync(database)],
    ['read the keys', () => readFileSync(join(data, 'keys.txt'))],
    ['write to the database', () => closeSync(openSync(database, 'r+'))],
    ['empty the database', () => call('truncate', Buffer.from(`${database}\0`))],
    ['open the database to everybody', () => chmodSync(database, 0o666)],
    ['change the times of the database', () => utimesSync(database, 0, 0)],
    ['rename a video', () => renameSync(join(videos, 'other.mp4'), join(videos, 'renamed.mp4'))],
    ['delete a video', () => unlinkSync(join(videos, 'last.mp4'))],
    ['plant a model', () => writeFileSync(join(modelsFolder, 'planted.onnx'), '')],
    ['write to the temporary folder', () => writeFileSync(join(tmpdir(), 'planted.txt'), '')],
    ['change the program', () => closeSync(openSync(fileURLToPath(import.meta.url), 'r+'))],
  ];
}

function onNetwork(modelsFolder: string, port: number): readonly Attempt[] {
  return [
    ['connect by TCP', async () => connected({ port, host: '127.0.0.1' })],
    ['connect to a socket of the file system', async () => connected({ path: join(modelsFolder, 'service.sock') })],
    ['send by UDP', async () => datagram(port)],
  ];
}

function onKernel(modelsFolder: string): readonly Attempt[] {
  return [
    ['mount', () => call('mount', Buffer.from('none\0'), Buffer.from(`${modelsFolder}\0`), Buffer.from('none\0'))],
    ['create a namespace', () => call('unshare', CLONE_NEWUSER)],
    ['load a BPF program', () => call('bpf', 0)],
    ['set up an io_uring', () => call('io_uring_setup', 0)],
    ['use the keyring', () => call('keyctl', 0)],
    ['run a shell', () => run('/bin/sh', ['-c', 'exit'])],
    ['run itself', () => run(process.execPath, ['--version'])],
  ];
}

async function outcomeOf(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
    return 'done';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return REFUSALS.has(code) ? 'refused' : `failed: ${code}`;
  }
}

/** Arguments are numbers and buffers, two of each at most. */
function call(name: string, ...args: readonly (number | Buffer)[]): number {
  const number = numbers.get(name)?.[process.arch === 'x64' ? 0 : 1];
  if (number === undefined) throw new Error(`no number for ${name}`);
  const [first, second, third] = args.map((each) => (typeof each === 'number' ? each : koffi.address(each)));
  const result = Number(syscall(number, first ?? 0, second ?? 0, third ?? 0, 0, 0));
  if (result >= 0) return result;
  const code = Object.entries(koffi.os.errno).find(([, errno]) => errno === koffi.errno())?.[0];
  throw Object.assign(new Error(name), { code });
}

function run(program: string, args: readonly string[]): void {
  const { error } = spawnSync(program, args);
  if (error !== undefined) throw error;
}

async function connected(options: NetConnectOpts): Promise<void> {
  const socket = connect(options);
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

async function datagram(port: number): Promise<void> {
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.send('hello', port, '127.0.0.1', (error) => (error === null ? resolve() : reject(error)));
    });
  } finally {
    socket.close();
  }
}
