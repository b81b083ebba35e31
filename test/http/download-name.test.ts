import { expect } from 'chai';
import { downloadName } from '../../src/http/routes/download-name.ts';
import { jobIdSchema } from '../../src/job.ts';
import { form, openService, VIDEO } from './service-under-test.ts';
import { submitResponseSchema } from '../../src/http/schemas.ts';

const JOB_ID = jobIdSchema.parse('019ddddd-0000-7000-8000-000000000000');

describe('the name of a download', () => {
  it('is the name of the video with another ending, or the job id', () => {
    const named = (fileName: string | null): string => downloadName({ jobId: JOB_ID, fileName }, '.srt');
    expect(named('lecture 7.mp4')).to.equal('lecture 7.srt');
    expect(named('v1.2 final')).to.equal('v1.2 final.srt');
    expect(named('.mp4')).to.equal(`${JOB_ID}.srt`);
    expect(named(null)).to.equal(`${JOB_ID}.srt`);
  });

  it('is sent in UTF-8 with an ASCII fallback', async () => {
    const service = await openService();
    try {
      const body = form({ pipeline_id: 'ocr_only' }, VIDEO, 'Лекция 7.mp4');
      const answer = await fetch(`${service.url}/video/submit`, { method: 'POST', body });
      const { job_id: jobId } = submitResponseSchema.parse(await answer.json());
      const video = await fetch(`${service.url}/video/source/${jobId}`);
      await video.arrayBuffer();
      expect(video.headers.get('content-disposition')).to.contain(
        "filename*=UTF-8''%D0%9B%D0%B5%D0%BA%D1%86%D0%B8%D1%8F%207.mp4",
      );
    } finally {
      await service.close();
    }
  });
});
