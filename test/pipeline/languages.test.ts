import { expect } from 'chai';
import type { Frame } from '../../src/pipeline/frame.ts';
import { ModelCatalogue } from '../../src/pipeline/models/model-catalogue.ts';
import { ModelSessions } from '../../src/pipeline/models/model-sessions.ts';
import { checkLanguages } from '../../src/pipeline/text/tesseract-core.ts';
import { ocrRead } from '../../src/pipeline/tools/ocr-read.ts';
import { renderFrame } from '../../tools/rendered-frames.ts';
import { expectRefusal } from './refusal.ts';

const BLACK = 'color=c=black:s=1280x720:r=25';
const BUSY = 'mandelbrot=s=1280x720:r=25:start_scale=0.9';
const LINES = [
  'Die Straße ist heute wegen Bauarbeiten gesperrt.',
  'Können Sie mir bitte größere Schuhe zeigen?',
  'Äpfel und Öl kosten zusammen 12,50 €.',
];

describe('ocr.read with the data of languages', function () {
  before(function () {
    try {
      checkLanguages(['deu']);
    } catch {
      console.log('    skipped: tesseract.js-core and @tesseract.js-data/deu are not installed');
      this.skip();
    }
  });

  /** What one thread reads in the frames. */
  const read = async (frames: readonly Frame[]): Promise<unknown[]> => {
    await using sessions = new ModelSessions();
    const run = await ocrRead.configure({ languages: ['deu'] }, { detector: 'nanodet' }).open(sessions);
    const texts: unknown[] = [];
    for (const frame of frames) texts.push(await run({ frame }));
    return texts;
  };
  const frames = () => LINES.map((text) => renderFrame(BLACK, [{ text, x: 100, y: 600, size: 40 }]));

  it('reads letters that the built-in recogniser does not know', async () => {
    const found = await read(frames());
    expect(found.map((one) => Reflect.get(Object(one), 'text'))).to.deep.equal(LINES);
  });

  it('reads outlined captions on a busy picture', async () => {
    const captions = LINES.map((text, index) => ({ text, x: 100, y: 130 + 200 * index, size: 40, outline: 3 }));
    const [found] = await read([renderFrame(BUSY, captions)]);
    expect(String(Reflect.get(Object(found), 'text')).split('\n')).to.include.members(LINES);
  });

  it('gives the same bytes in any order', async () => {
    const forwards = await read(frames());
    const backwards = await read(frames().toReversed());
    expect(JSON.stringify(backwards.toReversed())).to.equal(JSON.stringify(forwards));
  });

  it('is refused at start without the package of a language', async () => {
    const tool = ocrRead.configure({ languages: ['deu', 'xyz'] }, { detector: 'nanodet' });
    const check = async () => tool.check(new ModelCatalogue());
    await expectRefusal(check, 'invalid_pipeline', 'npm install @tesseract.js-data/xyz');
  });
});
