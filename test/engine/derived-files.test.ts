import { expect } from 'chai';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { JobSegments } from '../../src/analysis/job-segments.ts';
import { JobThumbnails, type PicturedJob } from '../../src/analysis/job-thumbnails.ts';
import { resultsPathOf, segmentsPathOf, sidecarPathOf, thumbnailsPathOf } from '../../src/engine/sidecar.ts';
import { createLog } from '../../src/log.ts';
import type { StorageService } from '../../src/storage/storage-service.ts';
import { refusalOf } from '../refusal-of.ts';
import { EngineHarness, quickPictures } from './engine-harness.ts';

const log = createLog('silent');

/** Each request stores one missing file. */
const REQUESTS = {
  segments: async (storage: StorageService, job: PicturedJob) => {
    await new JobSegments({ storage, log }).find(job, { kind: 'text' });
  },
  thumbnails: async (storage: StorageService, job: PicturedJob) => {
    const segments = new JobSegments({ storage, log });
    const thumbnails = new JobThumbnails({ storage, segments, pictures: quickPictures, log });
    expect(await refusalOf(thumbnails.find(job, 'first'))).to.include({ code: 'results_expired' });
  },
};

describe('files that a request stores', () => {
  for (const kind of ['segments', 'thumbnails'] as const) {
    for (const moment of ['before', 'after'] as const) {
      it(`do not stay if the files of the job are deleted just ${moment} the ${kind} are saved`, async () => {
        await using harness = await EngineHarness.open();
        const { engine, storage } = harness;
        const { jobId, inputPath: videoPath, media } = await harness.submit();
        await harness.worker().runOnce();
        const paths = { segmentsPath: segmentsPathOf(jobId), thumbnailsPath: thumbnailsPathOf(jobId) };
        const job = { ...paths, resultsPath: resultsPathOf(jobId), videoPath, media, keyframesOnly: false };
        await storage.deleteFile(paths[`${kind}Path`]);
        const saveFile = storage.saveFile.bind(storage);
        const saved: string[] = [];
        storage.saveFile = async (source, path, options) => {
          if (path === sidecarPathOf(jobId)) return saveFile(source, path, options);
          if (moment === 'before') await engine.deleteFiles(jobId);
          saved.push(await saveFile(source, path, options));
          if (moment === 'after') await engine.deleteFiles(jobId);
          return path;
        };
        await REQUESTS[kind](storage, job);
        expect(saved).to.deep.equal([paths[`${kind}Path`]]);
        const left = (await readdir(join(harness.folder, 'video_jobs'))).filter((name) => name.startsWith(jobId));
        expect(left).to.deep.equal([sidecarPathOf(jobId)]);
      });
    }
  }
});
