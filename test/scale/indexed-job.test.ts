import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { load } from 'js-yaml';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { z } from 'zod';
import { recipe } from './scaled-videos.ts';

/** Its form is what `validate` checks. */
const jobSchema = z.custom<ConstructorParameters<typeof Job>[0]>((value) => typeof value === 'object');
const manifest = readFileSync(recipe('indexed-job.yaml'), 'utf8');
const jobOf = (text: string): Job => new Job(jobSchema.parse(load(text)));

describe('the Indexed Job for Kubernetes', () => {
  it('is valid by the published schema of batch/v1', () => {
    jobOf(manifest).validate();
  });

  it('would be rejected with a field of the wrong type', () => {
    const job = jobOf(manifest.replace('completions: 40', 'completions: forty'));
    expect(() => job.validate()).to.throw('completions');
  });
});
