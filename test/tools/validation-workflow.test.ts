import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { z } from 'zod';
import { projectRoot } from './sample-project.ts';

const workflowSchema = z.object({
  on: z.object({
    pull_request: z.object({ branches: z.array(z.string()) }),
    push: z.object({ branches: z.array(z.string()) }),
  }),
  permissions: z.record(z.string(), z.string()),
  concurrency: z.object({ group: z.string(), 'cancel-in-progress': z.boolean() }),
  jobs: z.object({
    validate: z.object({
      'timeout-minutes': z.number(),
      strategy: z.object({ matrix: z.object({ node: z.array(z.number()) }) }),
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
    }),
  }),
});

const read = (file: string): string => readFileSync(path.join(projectRoot, file), 'utf8');

describe('continuous integration', () => {
  const workflow = workflowSchema.parse(load(read('.github/workflows/validation.yml')));
  const { validate } = workflow.jobs;
  const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));

  it('runs every step, in this order: the governance validator before the tests', () => {
    expect(validate.steps.map(({ uses, run }) => run ?? uses?.replace(/@.*/, ''))).to.deep.equal([
      'actions/checkout',
      'actions/setup-node',
      'npm ci',
      'npm run governance',
      'npm run lint',
      'npm run coverage',
      'node tools/test-sum.mjs "$RUNNER_TEMP/tests.json"',
      'npm run smoke',
      'npm run knip',
      'npm run docs:check',
    ]);
  });

  it('runs on every pull request and push to main, on every supported Node', () => {
    expect(workflow.on).to.deep.equal({ pull_request: { branches: ['main'] }, push: { branches: ['main'] } });
    expect(validate.strategy.matrix.node).to.deep.equal([20, 22, 24]);
    const setup = validate.steps.find(({ uses }) => uses?.startsWith('actions/setup-node@'));
    expect(setup?.with?.['node-version']).to.equal('${{ matrix.node }}');
  });

  it('may only read, cancels what is overtaken, and ends in time', () => {
    expect(workflow.permissions).to.deep.equal({ contents: 'read' });
    expect(workflow.concurrency['cancel-in-progress']).to.equal(true);
    expect(validate['timeout-minutes']).to.be.at.most(30);
    for (const step of validate.steps.filter(({ run }) => run))
      expect(step, step.name).to.have.property('timeout-minutes');
  });

  it('fails where a test was skipped without leave', () => {
    const tests = validate.steps.find(({ run }) => run === 'npm run coverage');
    expect(tests?.env).to.deep.equal({ TEST_REPORT: '${{ runner.temp }}/tests.json' });
  });

  it('pins every action to a commit', () => {
    for (const { uses } of validate.steps) if (uses !== undefined) expect(uses).to.match(/@[0-9a-f]{40}$/);
  });

  it('is what `npm run check` runs, in the same order', () => {
    const steps = validate.steps.flatMap(({ run }) => (run?.startsWith('npm run ') ? [run] : []));
    expect(scripts['check']?.replaceAll('--silent ', '')).to.equal(steps.join(' && '));
  });

  it('runs only scripts that exist', () => {
    for (const { run } of validate.steps) {
      const name = run?.match(/^npm run (\S+)$/)?.[1];
      if (name !== undefined) expect(scripts).to.have.property(name);
    }
  });

  it('.ci/run installs and tests as the README says, then checks', () => {
    const script = read('.ci/run');
    const commands = ['npm install', 'npm test', 'npm run check', 'node tools/test-sum.mjs'];
    const places = commands.map((command) => script.lastIndexOf(command));
    expect(places).to.deep.equal(places.toSorted((a, b) => a - b));
    expect(places).not.to.include(-1);
  });
});
