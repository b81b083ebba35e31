import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { freePort } from '../free-port.ts';
import { memoryOf } from '../../tools/child-processes.ts';
import { makeVideo } from '../../tools/make-video.ts';
import { startService, type ServiceProcess } from '../../tools/service-process.ts';

const BASE_PATH = '/reelstate';
const KEY = 'a-key-of-the-proxy-test-0123456789abcdef';
const LOOK_EVERY_MS = 50;
const MIB = 1024 * 1024;
/** 1 GiB in a long run: UPLOAD_MIB=1024 npx mocha dist/test/deploy/proxies.test.js */
const UPLOAD_MIB = Number(process.env['UPLOAD_MIB'] ?? 8);
const example = (name: string): string =>
  fileURLToPath(new URL(`tools/deploy/${name}`, import.meta.resolve('#package.json')));

/** Replacements for names in the example that belong to another machine. */
interface Place {
  readonly folder: string;
  readonly tlsPort: number;
  readonly servicePort: number;
  readonly certificate: string;
  readonly certificateKey: string;
}

interface Proxy {
  readonly program: string;
  /** Writes its configuration into the folder and returns its arguments. */
  configure(place: Place): Promise<readonly string[]>;
}

const nginx: Proxy = {
  program: 'nginx',
  async configure({ folder, tlsPort, servicePort, certificate, certificateKey }) {
    const site = (await readFile(example('nginx.conf'), 'utf8'))
      .replace('listen 443 ssl', `listen 127.0.0.1:${tlsPort} ssl`)
      .replace('/etc/ssl/certs/videos.example.org.pem', certificate)
      .replace('/etc/ssl/private/videos.example.org.key', certificateKey)
      .replace('127.0.0.1:8000', `127.0.0.1:${servicePort}`);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
      .join(' ');
    const path = join(folder, 'nginx-main.conf');
    await writeFile(
      path,
      `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr;
events {}
http { access_log off; ${temporary}
${site} }`,
    );
    return ['-p', folder, '-e', 'stderr', '-c', path];
  },
};

const caddy: Proxy = {
  program: 'caddy',
  async configure({ folder, tlsPort, servicePort, certificate, certificateKey }) {
    const site = (await readFile(example('Caddyfile'), 'utf8'))
      .replace(
        'videos.example.org {',
        `https://videos.example.org:${tlsPort} {\n\tbind 127.0.0.1\n\ttls ${certificate} ${certificateKey}`,
      )
      .replace('127.0.0.1:8000', `127.0.0.1:${servicePort}`);
    const path = join(folder, 'Caddyfile');
    await writeFile(path, `{\n\tadmin off\n\tauto_https disable_redirects\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n${site}`);
    return ['run', '--config', path, '--adapter', 'caddyfile'];
  },
};

for (const proxy of [nginx, caddy]) {
  describe(`${proxy.program} in front of the service, as in the example`, function () {
    let folder: string;
    let service: ServiceProcess;
    let running: ChildProcess | undefined;
    let tlsPort: number;

    before(async function () {
      if (spawnSync(proxy.program, ['-v']).error) {
        console.log(`      skipped: ${proxy.program} is not installed`);
        this.skip();
      }
      folder = await mkdtemp(join(tmpdir(), 'reelstate-proxy-'));
      const certificate = join(folder, 'certificate.pem');
      const certificateKey = join(folder, 'certificate.key');
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=videos.example.org'].concat([
          '-addext',
          'subjectAltName=DNS:videos.example.org',
          '-keyout',
          certificateKey,
          '-out',
          certificate,
        ]),
        { stdio: 'ignore' },
      );
      service = await startService({
        dataDir: join(folder, 'data'),
        signal: new AbortController().signal,
        settings: { BASE_PATH, API_KEYS: KEY, TRUSTED_PROXIES: '127.0.0.1', PIPELINE_THREADS: '1' },
      });
      tlsPort = await freePort();
      const servicePort = Number(new URL(service.url).port);
      const args = await proxy.configure({ folder, tlsPort, servicePort, certificate, certificateKey });
      running = spawn(proxy.program, args, {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      });
      while (curl('/health').status === '000') {
        if (running.exitCode !== null) throw new Error(`${proxy.program} ended with ${running.exitCode}`);
        await wait(LOOK_EVERY_MS);
      }
    });
    after(async () => {
      if (running?.exitCode === null) {
        running.kill('SIGKILL');
        await once(running, 'exit');
      }
      await service?.kill();
      if (folder) await rm(folder, { recursive: true, force: true });
    });

    it('passes uploads, addresses below the path, and results', async () => {
      const videoPath = join(folder, 'video.mp4');
      makeVideo({ path: videoPath, width: 320, height: 192, frames: 4 });
      await enlarge(videoPath, UPLOAD_MIB * MIB);
      const startMs = performance.now();
      const submitted = curl('/video/submit?pipeline_id=ocr_only', '-F', `file=@${videoPath}`);
      expect(submitted.status, submitted.body).to.equal('202');
      const seconds = (performance.now() - startMs) / 1_000;
      const peakMib = (memoryOf(service.pid)?.peak ?? NaN) / MIB;
      console.log(
        `      ${UPLOAD_MIB} MiB in ${seconds.toFixed(1)} s; the service held ${Math.round(peakMib)} MiB at most`,
      );
      expect(submitted.header('location')).to.match(/^\/reelstate\/video\/status\/[0-9a-f-]{36}$/);
      const id = submitted.header('location')?.split('/').at(-1) ?? '';
      while (!/"(completed|failed)"/.test(curl(`/video/status/${id}`).body)) await wait(LOOK_EVERY_MS);
      expect(curl(`/video/results/${id}`).status).to.equal('200');
      expect(spawnSync('cmp', [videoPath, join(folder, 'data', 'video_jobs', `${id}.mp4`)]).status).to.equal(0);
    });

    it('passes Host on: a page of the same origin may write, one of another may not', () => {
      const from = (origin: string) => curl('/session', '-X', 'POST', '-H', `Origin: ${origin}`);
      expect(from(`https://videos.example.org:${tlsPort}`).status).to.match(/^20[0-9]$/);
      expect(from('https://elsewhere.example.org').status).to.equal('403');
    });

    it('passes the scheme on, so that a session cookie is Secure', () => {
      const { status, header } = curl('/session', '-X', 'POST');
      expect(status).to.match(/^20[0-9]$/);
      expect(header('set-cookie')).to.match(/^__(Host|Secure)-.*Secure/i);
    });

    /** One request through the proxy from a generic client. */
    function curl(path: string, ...more: readonly string[]) {
      const url = `https://videos.example.org:${tlsPort}${BASE_PATH}${path}`;
      const resolve = `videos.example.org:${tlsPort}:127.0.0.1`;
      const { stdout } = spawnSync(
        'curl',
        ['-sik', '--max-time', '3600', '--resolve', resolve, '-H', `Authorization: Bearer ${KEY}`, ...more, url],
        { encoding: 'utf8' },
      );
      const final = stdout.slice(Math.max(0, stdout.lastIndexOf('HTTP/')));
      const [head = '', ...body] = final.split('\r\n\r\n');
      return {
        status: /^HTTP\/\S+ (\d{3})/.exec(head)?.[1] ?? '000',
        body: body.join('\r\n\r\n'),
        header: (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim(),
      };
    }
  });
}

/** Appends a sparse `free` box, so that the video has that many bytes. */
async function enlarge(videoPath: string, bytes: number): Promise<void> {
  const { size } = await stat(videoPath);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(bytes - size);
  header.write('free', 4, 'latin1');
  await using file = await open(videoPath, 'r+');
  await file.write(header, 0, header.length, size);
  await file.truncate(bytes);
}
