import { expect } from 'chai';
import { openAnalyser, type FrameAnalyser } from '../../src/pipeline/analyser.ts';
import { ModelSessions } from '../../src/pipeline/models/model-sessions.ts';
import { PipelineRegistry } from '../../src/pipeline/registry.ts';
import { renderFrame } from '../../tools/rendered-frames.ts';
import { TEXT_SCENES } from '../../tools/text-scenes.ts';

const BLACK = 'color=c=black:s=1280x720:r=25';

/** Sentences with letters that the built-in recogniser does not know. */
const FOREIGN = {
  German: 'Wo hast du die Schlüssel fürs Auto hingelegt?',
  French: 'Nous étions très fatigués après la fête.',
  Spanish: 'Mañana llega el niño con su abuela.',
  Polish: 'Dziękuję, że pomogłeś mi wczoraj.',
  Turkish: 'Öğretmen öğrencilere kitap dağıttı.',
  Greek: 'Σε παρακαλώ, μην ξεχάσεις το ψωμί.',
  Russian: 'Завтра поезд отходит в девять часов.',
};

describe('text with letters that the recogniser does not know', function () {
  let sessions: ModelSessions;
  let analyser: FrameAnalyser;
  before(async () => {
    sessions = new ModelSessions();
    analyser = await openAnalyser((await PipelineRegistry.open()).get('ocr_only'), sessions);
  });
  after(async () => {
    await sessions[Symbol.asyncDispose]();
  });

  for (const [language, text] of Object.entries(FOREIGN)) {
    it(`is marked as unsure in ${language}, with less confidence`, async () => {
      const { lines = [] } = await analyser.analyse(renderFrame(BLACK, [{ text, x: 100, y: 600, size: 40 }]));
      expect(lines).to.have.length(1);
      expect(lines[0]).to.have.property('unsure', true);
      expect(lines[0]?.confidence).to.be.below(0.98);
    });
  }

  it('is not seen in English', async () => {
    const unsure: string[] = [];
    for (const { name, source, texts } of TEXT_SCENES) {
      const { lines = [] } = await analyser.analyse(renderFrame(source, texts));
      unsure.push(...lines.filter((line) => line.unsure === true).map(({ text }) => `${name}: ${text}`));
    }
    expect(unsure).to.deep.equal([]);
  });
});
