import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { scanProject } from '../../tools/governance/scan.ts';
import { projectRoot, sampleProject } from './sample-project.ts';

const CLEAN = { 'src/queue/memory.ts': 'export const size = 0;\n' };

/** Returns the findings of a project with these files, as `path:line:column term`. */
function found(files: Readonly<Record<string, string>>, manifest: object = {}): readonly string[] {
  using project = sampleProject(files, manifest);
  return scanProject(project.root).findings.map(
    ({ path: file, line, column, term }) => `${file}:${line}:${column} ${term}`,
  );
}

const foundIn = (text: string): readonly string[] =>
  found({ 'src/queue/memory.ts': text }).map((finding) => finding.replace('src/queue/memory.ts:', ''));

const importing = (file: string, specifier: string): readonly string[] =>
  found({ [file]: `import { a } from '${specifier}';\n` }).map((finding) => finding.replace(/^\S+ /, ''));

describe('governance: forbidden terms', () => {
  const spellings = {
    websocket: [
      'websocket',
      'WebSocket',
      'webSocket',
      'WEBSOCKET',
      'websockets',
      'web-socket',
      'Web Socket',
      'newWebsocket',
    ],
    sse: ['sse', 'SSE', 'Sse', 'sse_client', 'sseClient', 'SSEClient', 'openSSE', 'open_sse', 'sse2', "'/sse/'"],
    streaming: ['streaming', 'Streaming', 'isStreaming', 'streaming-mode', 'STREAMING_MODE', 'streamingResponse'],
    gpu_schedule: [
      'gpu_schedule',
      'gpu-schedule',
      'gpuSchedule',
      'GpuSchedule',
      'GPUSchedule',
      'GPU_SCHEDULE',
      'gpu schedule',
    ],
    gpu_worker: ['gpu_worker', 'gpu-worker', 'gpuWorker', 'GPUWorkers', 'theGpuWorker', 'GPU Worker'],
    distributed: ['distributed', 'Distributed', 'DISTRIBUTED', 'isDistributed', 'distributed_lock'],
    real_time: ['real_time', 'real-time', 'realTime', 'RealTime', 'REAL_TIME', 'real time', 'realtime', 'Real-Time'],
  };
  for (const [term, forms] of Object.entries(spellings)) {
    it(`${term} is found in every spelling`, () => {
      for (const form of forms) {
        const text = `export const size = 0; // ${form}\n`;
        expect(foundIn(text), form).to.have.lengthOf(1);
        expect(foundIn(text)[0], form).to.match(new RegExp(`^1:\\d+ ${term}$`));
      }
    });
  }

  it('a term inside another word is not a finding', () => {
    const innocent = `assess processes possesses ASSESS Processes passes posse classEntry sseq stream upstreamingly
      unreal_timer realTimes surreal timeout gpuWorking gpu reschedule undistributed redistributed websocketry`;
    expect(foundIn(`/* ${innocent} */\n`)).to.deep.equal([]);
  });

  it('comments, strings, templates and identifiers are all read, each at its line and column', () => {
    const text = [
      '// sse',
      "const a = 'sse';",
      'const b = `x${1} sse`;',
      'const sseCount = 0;',
      '/* it is real',
      ' * time */',
    ].join('\n');
    expect(foundIn(text)).to.deep.equal(['1:4 sse', '2:12 sse', '3:18 sse', '4:7 sse', '5:10 real_time']);
  });

  it('the names of files and folders are read too, and every kind of text file', () => {
    expect(found({ 'src/http/sse.ts': '' })).to.deep.equal(['src/http/sse.ts:1:1 sse']);
    expect(found({ 'src/http/real-time/app.ts': '' })).to.deep.equal(['src/http/real-time/app.ts:1:1 real_time']);
    expect(found({ 'src/http/page.html': '<p>streaming</p>' })).to.deep.equal(['src/http/page.html:1:4 streaming']);
    expect(found({ 'machines/job.ts': '// distributed' })).to.deep.equal(['machines/job.ts:1:4 distributed']);
  });

  it('tests, tools, documents, migrations and binary files are free', () => {
    const text = "export const a = 'websocket streaming phase16';\nimport 'bullmq';\n";
    const free = [
      'test/a.test.ts',
      'tools/a.ts',
      'docs/a.md',
      'README.md',
      'migrations/0001.up.sql',
      'phase16/src/a.ts',
    ];
    const files = Object.fromEntries(free.map((file) => [file, text]));
    expect(found({ ...CLEAN, ...files, 'src/web/weights.bin': '\0sse' })).to.deep.equal([]);
  });
});

describe('governance: project phases', () => {
  it('a file or folder named after a phase is rejected', () => {
    for (const name of [
      'phase16.ts',
      'phase16_jobs.ts',
      'phase_16.ts',
      'Phase-16.ts',
      'PHASE16.ts',
      'jobsPhase16.ts',
    ]) {
      expect(found({ [`src/queue/${name}`]: '' }), name).to.have.lengthOf(1);
    }
    for (const folder of ['phase16', 'phase_15', 'Phase-16', 'Phase 16']) {
      expect(found({ [`src/queue/${folder}/memory.ts`]: '' }), folder).to.have.lengthOf(1);
    }
  });

  it('a phase named in the text is rejected', () => {
    expect(foundIn('// since Phase 16\n')).to.deep.equal(['1:10 Phase 16']);
  });

  it('the word phase alone, and a number inside another word, are free', () => {
    expect(found({ 'src/queue/phase.ts': '// two-phase commit, in phases; emphase16\n' })).to.deep.equal([]);
  });
});

describe('governance: packages', () => {
  it('external queues, cloud storage and socket libraries are rejected as runtime dependencies', () => {
    for (const name of [
      'bullmq',
      'amqplib',
      'ioredis',
      'kafkajs',
      '@aws-sdk/client-s3',
      '@google-cloud/storage',
      'minio',
      'ws',
      'socket.io',
      'koa-websocket',
      '@azure/storage-blob',
    ]) {
      for (const kind of ['dependencies', 'optionalDependencies', 'peerDependencies']) {
        const findings = found(CLEAN, { [kind]: { [name]: '1.0.0' } });
        expect(findings, `${kind} ${name}`).to.have.lengthOf(1);
        expect(findings[0]).to.match(/^package\.json:6:5 /);
        expect(findings[0]).to.contain(name);
      }
    }
  });

  it('another name for a denied package does not hide it', () => {
    expect(found(CLEAN, { dependencies: { tasks: 'npm:bullmq@5.0.0' } })).to.deep.equal(['package.json:6:5 bullmq']);
  });

  it('development packages and packages with similar names are allowed', () => {
    expect(found(CLEAN, { devDependencies: { ws: '8.0.0' } })).to.deep.equal([]);
    expect(
      found(CLEAN, { dependencies: { 'p-queue': '8.0.0', awsome: '1.0.0', news: '1.0.0', koa: '3.0.0' } }),
    ).to.deep.equal([]);
  });

  it('they are rejected in imports of every form', () => {
    const forms = [
      "import x from 'ws';",
      "import type { X } from 'ws';",
      "import 'ws';",
      "export * from 'ws';",
      "export { x } from 'ws';",
      "const x = await import('ws');",
      'const x = await import(`ws`);',
      "type X = import('ws').X;",
      "const x = require('ws');",
      "import x = require('ws');",
      "import x from 'ws/lib/receiver.js';",
      "const x = import.meta.resolve('ws');",
      "import {\n  x,\n} from 'ws';",
      "const a = 1 / 2; import('ws'); const b = /['`]/.test('');",
    ];
    for (const form of forms) expect(foundIn(form), form).to.have.lengthOf(1);
  });

  it('text that only resembles an import is allowed', () => {
    const forms = [
      "// import x from 'ws';",
      "/* import 'ws' */",
      'const text = "import x from \'ws\'";',
      "const text = `import 'ws' ${1} from 'ws'`;",
      "const text = Array.from('ws');",
      "const a = /import 'ws'/.test('');",
      "const a = { from: 'ws' };",
    ];
    for (const form of forms) expect(foundIn(form), form).to.deep.equal([]);
  });
});

describe('governance: import directions', () => {
  it('a module imports what the table names, and itself', () => {
    expect(importing('src/store/duckdb.ts', '../job.ts')).to.deep.equal([]);
    expect(importing('src/store/duckdb.ts', './migrate.ts')).to.deep.equal([]);
    expect(importing('src/engine/worker.ts', '../queue/queue-service.ts')).to.deep.equal([]);
    expect(importing('src/engine/worker.ts', '../../machines/job.ts')).to.deep.equal([]);
    expect(importing('src/pipeline/tools/ocr.ts', '../frame.ts')).to.deep.equal([]);
    expect(importing('src/service.ts', './queue/memory.ts')).to.deep.equal([]);
    expect(importing('src/main.ts', './service.ts')).to.deep.equal([]);
  });

  it('a module imports nothing else', () => {
    const against = {
      'src/store/duckdb.ts': ['../queue/queue-service.ts', '../engine/worker.ts', '../../machines/job.ts'],
      'src/engine/worker.ts': ['../queue/memory.ts', '../pool/process-pool.ts', '../store/duckdb.ts', '../http/app.ts'],
      'src/http/app.ts': ['../store/duckdb.ts', '../storage/local.ts', '../queue/queue-service.ts'],
      'src/pipeline/dag.ts': ['../pool/child.ts', '../engine/worker.ts'],
      'src/main.ts': ['./engine/worker.ts', './http/app.ts'],
      'src/errors.ts': ['./job.ts'],
      'machines/job.ts': ['../src/job.ts', '../src/errors.ts', 'node:fs', 'zod', 'pino'],
    };
    for (const [file, specifiers] of Object.entries(against)) {
      for (const specifier of specifiers)
        expect(importing(file, specifier), `${file} ${specifier}`).to.deep.equal([specifier]);
    }
  });

  it('types and re-exports take the same directions, and so do children given by URL', () => {
    for (const text of [
      "import type { A } from '../store/duckdb.ts';",
      "export * from '../store/duckdb.ts';",
      "const url = new URL('../store/duckdb.ts', import.meta.url);",
      "const url = new URL('../store/duckdb.js', import.meta.url);",
      "const a = import('../store/duckdb.js');",
    ]) {
      expect(found({ 'src/http/app.ts': text }), text).to.have.lengthOf(1);
      expect(found({ 'src/store/app.ts': text }), text).to.deep.equal([]);
    }
  });

  it('the reason names both modules', () => {
    using project = sampleProject({ 'src/http/app.ts': "import '../store/duckdb.ts';" });
    expect(scanProject(project.root).findings[0]).to.include({
      rule: 'direction',
      reason: 'http may not import store',
    });
  });

  it('functional code imports no tests, tools or files outside the project', () => {
    for (const specifier of ['../../tools/a.ts', '../../test/a.ts', '../../../a.ts', '/tmp/a.js']) {
      expect(importing('src/http/app.ts', specifier), specifier).to.deep.equal([specifier]);
    }
  });

  it('data files may be named', () => {
    expect(
      foundIn("new URL('../../migrations/', import.meta.url); import.meta.resolve('#package.json');"),
    ).to.deep.equal([]);
  });

  it('a computed import cannot be checked, so it is rejected', () => {
    expect(foundIn("await import('../store/' + name);")).to.deep.equal(['1:7 import']);
    expect(foundIn('await import(`../${name}.ts`);')).to.deep.equal(['1:7 import']);
  });

  it('a file in no module is rejected', () => {
    expect(found({ 'src/elsewhere/a.ts': '' })).to.deep.equal(['src/elsewhere/a.ts:1:1 a.ts']);
  });

  it('kept packages stay in their places', () => {
    const kept: readonly (readonly [string, string, string])[] = [
      ['node:child_process', 'src/pool/process-pool.ts', 'src/engine/worker.ts'],
      ['child_process', 'src/pool/process-pool.ts', 'src/http/app.ts'],
      ['@duckdb/node-api', 'src/store/duckdb.ts', 'src/engine/worker.ts'],
      ['@duckdb/node-api', 'src/query/query.ts', 'src/http/app.ts'],
      ['koa', 'src/http/app.ts', 'src/service.ts'],
      ['@koa/router', 'src/http/app.ts', 'src/service.ts'],
      ['koa-body', 'src/http/app.ts', 'src/service.ts'],
      ['xstate', 'src/engine/worker.ts', 'src/http/app.ts'],
      ['xstate/graph', 'machines/job.ts', 'src/store/duckdb.ts'],
      ['node-av', 'src/pipeline/decode/decoder.ts', 'src/pool/child.ts'],
      ['onnxruntime-node', 'src/pipeline/tools/ocr.ts', 'src/pool/child.ts'],
    ];
    for (const [name, home, elsewhere] of kept) {
      expect(importing(home, name), `${home} ${name}`).to.deep.equal([]);
      expect(importing(elsewhere, name), `${elsewhere} ${name}`).to.deep.equal([name]);
    }
  });
});

describe('governance: the command', () => {
  const command = fileURLToPath(new URL('../../tools/validate_governance.js', import.meta.url));
  const run = (...options: readonly string[]) =>
    spawnSync(process.execPath, [command, ...options], { encoding: 'utf8' });

  it('this project keeps its own rules', () => {
    const { status, stdout } = run();
    expect(stdout).to.match(/^governance: 0 found in \d+ files read/);
    expect(status).to.equal(0);
  });

  it('a finding is printed as path:line:column term reason, counted, and the exit code is 1', () => {
    using project = sampleProject({ ...CLEAN, 'src/http/app.ts': '\n  // by sse\n' });
    const { status, stdout } = run('--root', project.root);
    expect(stdout.split('\n').slice(0, 2)).to.deep.equal([
      'src/http/app.ts:2:9 sse clients poll; nothing is pushed to them',
      'governance: 1 found in 2 files read (machines/ 0, src/ 2) and package.json',
    ]);
    expect(status).to.equal(1);
    project.write('src/http/app.ts', '\n  // by assessing\n');
    expect(run('--root', project.root).status).to.equal(0);
  });

  it('--json prints the same for programs', () => {
    using project = sampleProject({ 'src/http/app.ts': '// sse\n' });
    const { status, stdout } = run('--root', project.root, '--json');
    expect(JSON.parse(stdout)).to.deep.equal({
      files_read: 1,
      findings: [
        {
          path: 'src/http/app.ts',
          line: 1,
          column: 4,
          rule: 'term',
          term: 'sse',
          reason: 'clients poll; nothing is pushed to them',
        },
      ],
    });
    expect(status).to.equal(1);
  });

  it('reading no file is not the same as finding nothing: exit code 2', () => {
    using project = sampleProject({ 'test/a.test.ts': '' });
    const { status, stderr } = run('--root', project.root);
    expect(stderr).to.contain('no file was read');
    expect(status).to.equal(2);
  });

  it('invalid rules are exit code 2 with one line that names the fault', () => {
    const rules = 'tools/forbidden_vocabulary.yaml';
    using project = sampleProject(CLEAN);
    for (const [text, complaint] of [
      ['terms: [', rules],
      ['terms: []', 'not a table of rules'],
      ['', 'is not YAML'],
      ['modules: {}', 'not a table of rules'],
    ] as const) {
      project.write(rules, text);
      const { status, stderr } = run('--root', project.root);
      expect(stderr, text).to.contain(complaint);
      expect(status, text).to.equal(2);
    }
    rmSync(path.join(project.root, rules));
    expect(run('--root', project.root).status).to.equal(2);
  });

  it('a package.json that cannot be read, and an unknown option, are exit code 2', () => {
    using project = sampleProject(CLEAN);
    project.write('package.json', '{');
    expect(run('--root', project.root).status).to.equal(2);
    expect(run('--roots', projectRoot).status).to.equal(2);
  });

  it('--help explains the exit codes', () => {
    const { status, stdout } = run('--help');
    expect(stdout).to.contain('Exit code');
    expect(status).to.equal(0);
  });
});
