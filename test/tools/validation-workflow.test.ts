import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { z } from 'zod';
import { projectRoot } from './sample-project.ts';

const jobSchema = z.object({
  'timeout-minutes': z.number(),
  needs: z.string().optional(),
  strategy: z.object({ matrix: z.record(z.string(), z.array(z.union([z.number(), z.string()]))) }).optional(),
  steps: z.array(
    z.object({
      name: z.string(),
      uses: z.string().optional(),
      run: z.string().optional(),
      with: z.record(z.string(), z.unknown()).optional(),
      env: z.record(z.string(), z.string()).optional(),
      'timeout-minutes': z.number().optional(),
      'continue-on-error': z.never().optional(),
      if: z.never().optional(),
    }),
  ),
});
const workflowSchema = z.object({
  on: z.object({
    pull_request: z.object({ branches: z.array(z.string()) }),
    push: z.object({ branches: z.array(z.string()) }),
  }),
  permissions: z.record(z.string(), z.string()),
  concurrency: z.object({ group: z.string(), 'cancel-in-progress': z.boolean() }),
  jobs: z.object({ tests: jobSchema, checks: jobSchema, package: jobSchema, engines: jobSchema, coverage: jobSchema }),
});

const read = (file: string): string => readFileSync(path.join(projectRoot, file), 'utf8');

describe('continuous integration', () => {
  const workflow = workflowSchema.parse(load(read('.github/workflows/validation.yml')));
  const { tests, checks, package: installed, engines, coverage } = workflow.jobs;
  const jobs = Object.values(workflow.jobs);
  const commandsOf = ({ steps }: typeof tests) => steps.map(({ uses, run }) => run ?? uses?.replace(/@.*/, ''));
  const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));

  it('runs its steps in this order: the governance validator before the tests', () => {
    const setup = ['actions/checkout', 'actions/setup-node', 'npm ci'];
    expect(commandsOf(tests)).to.deep.equal([
      ...setup,
      'sudo apt-get update -qq && sudo apt-get install -y -qq nginx caddy parallel slurm-wlm munge openssh-server',
      'npm run governance',
      'npm run test:${{ matrix.group }}',
      'node tools/test-sum.mjs "$RUNNER_TEMP/tests.json"',
      'actions/upload-artifact',
    ]);
    expect(commandsOf(checks)).to.deep.equal([
      ...setup,
      'npm run governance',
      'npm run lint',
      'npm run smoke',
      'npm run knip',
      'npm run docs:check',
    ]);
    expect(commandsOf(installed)).to.deep.equal([
      ...setup,
      'npm run pack -- "$RUNNER_TEMP"',
      'sudo env "PATH=$PATH" node tools/registry-only.mjs tools/try-package.sh "$RUNNER_TEMP"/reelstate-*.tgz src/web/sample/sample.mp4 ${{ matrix.npm }}',
    ]);
    expect(commandsOf(engines)).to.deep.equal([
      ...setup,
      'sudo apt-get update -qq && sudo apt-get install -y -qq parallel slurm-wlm munge openssh-server',
      'npm run build',
      'sudo env "PATH=$PATH" npx mocha "dist/test/scale/*.test.js"',
    ]);
    expect(commandsOf(coverage)).to.deep.equal([
      ...setup,
      'npm run build',
      'actions/download-artifact',
      'npm run coverage:report',
    ]);
  });

  it('runs on every pull request and push to main, every group of tests on every supported Node', () => {
    expect(workflow.on).to.deep.equal({ pull_request: { branches: ['main'] }, push: { branches: ['main'] } });
    const matrix = tests.strategy?.matrix;
    expect(matrix).to.deep.equal({ node: [20, 22, 24], group: ['unit', 'integration', 'pages'] });
    const setup = tests.steps.find(({ uses }) => uses?.startsWith('actions/setup-node@'));
    expect(setup?.with?.['node-version']).to.equal('${{ matrix.node }}');
  });

  it('has every folder of tests in exactly one group', () => {
    const listed = (name: string): readonly string[] => {
      const script = scripts[`test:${name}`] ?? '';
      const [, folders = /dist\/test\/(\w+)\/\*\*/.exec(script)?.[1] ?? ''] = /\{([\w,]+)\}/.exec(script) ?? [];
      return folders.split(',');
    };
    const others = [...listed('integration'), ...listed('pages')].toSorted();
    expect(new Set(others)).to.have.lengthOf(others.length);
    expect([...listed('unit')].toSorted(), 'what the unit tests leave to the others').to.deep.equal(others);
    for (const folder of others) expect(existsSync(path.join(projectRoot, 'test', folder)), folder).to.equal(true);
  });

  it('has read permission only, cancels outdated runs, and has a time limit', () => {
    expect(workflow.permissions).to.deep.equal({ contents: 'read' });
    expect(workflow.concurrency['cancel-in-progress']).to.equal(true);
    for (const { 'timeout-minutes': minutes, steps } of jobs) {
      expect(minutes).to.be.at.most(30);
      for (const step of steps.filter(({ run }) => run)) expect(step, step.name).to.have.property('timeout-minutes');
    }
  });

  it('fails where a test was skipped without a known reason, and holds all groups together to the coverage floor', () => {
    const step = tests.steps.find(({ run }) => run?.startsWith('npm run test:'));
    expect(step?.env).to.deep.equal({
      TEST_REPORT: '${{ runner.temp }}/tests.json',
      NODE_V8_COVERAGE: 'coverage/tmp',
    });
    expect(coverage.needs).to.equal('tests');
  });

  it('pins every action to a commit', () => {
    for (const { uses } of jobs.flatMap(({ steps }) => steps)) {
      if (uses !== undefined) expect(uses).to.match(/@[0-9a-f]{40}$/);
    }
  });

  it('runs all that `npm run check` runs', () => {
    const commands = [...commandsOf(checks), 'npm run coverage'];
    const checked = scripts['check']?.replaceAll('--silent ', '').split(' && ') ?? [];
    expect(commands).to.include.members(checked);
  });

  it('runs only scripts that exist', () => {
    const groups = tests.strategy?.matrix['group'] ?? [];
    for (const { run } of jobs.flatMap(({ steps }) => steps)) {
      const name = run?.match(/^npm run (.+?)( -- .*)?$/)?.[1];
      if (name === undefined) continue;
      const names = groups.map((group) => name.replace('${{ matrix.group }}', String(group)));
      for (const script of names) expect(Object.keys(scripts)).to.include(script);
    }
  });

  it('.ci/run installs and tests as the README says, then checks', () => {
    const script = read('.ci/run');
    const commands = ['npm install', '\ntests ||', '\nordinary_user ||', '\nchecks ||', 'node tools/test-sum.mjs'];
    const places = commands.map((command) => script.lastIndexOf(command));
    expect(places).to.deep.equal(places.toSorted((a, b) => a - b));
    expect(places).not.to.include(-1);
    const [, checked = ''] = /for check in (.+?);/.exec(script) ?? [];
    const required = ['governance', 'coverage', ...checked.split(' ')].map((name) => `npm run ${name}`);
    expect(required).to.include.members(scripts['check']?.replaceAll('--silent ', '').split(' && ') ?? []);
  });
});
