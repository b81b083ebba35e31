import { expect } from 'chai';
import { judgeTexts, type TextExpectation } from '../../src/client/expected-text.ts';
import type { TextSegment } from '../../src/client/responses.ts';
import { findSegments } from '../../src/segments/segment-finder.ts';
import { Random } from '../../tools/fuzz/random.ts';
import { SCRIPTS } from '../../tools/segment-scripts/scripts.ts';
import { simulatedFrames } from '../../tools/segment-scripts/simulated-reading.ts';

const CLIPS = 200;

function segment(text: string, start_ms: number, end_ms: number): TextSegment {
  return { kind: 'text', text, start_ms, end_ms, confidence: 0.9, bbox: [0, 0, 10, 10], frames: 5 };
}

const SEEN = [segment('Payment failed: card was declined', 3200, 5400), segment('Order 4711', 0, 400)];

function isMet(expectation: Partial<TextExpectation>): boolean {
  return judgeTexts({ texts: [], ...expectation }, SEEN).every((verdict) => verdict.isMet);
}

describe('an expected text', () => {
  it('matches part of a text with the same letters', () => {
    expect(isMet({ texts: ['Payment failed', 'Order 4711'] })).to.equal(true);
    expect(isMet({ texts: ['Payment  failed'] })).to.equal(true);
    expect(isMet({ texts: ['Payment filed'] })).to.equal(false);
    expect(isMet({ texts: ['payment failed'] })).to.equal(false);
    expect(isMet({ texts: ['Order 4712'] })).to.equal(false);
    expect(isMet({ texts: ['Order 471'] })).to.equal(false);
    expect(isMet({ texts: ['711'], edits: 1 })).to.equal(false);
  });

  it('matches whole words, also where the space between two was not read', () => {
    const matches = (read: string, text: string, edits = 0): boolean =>
      judgeTexts({ texts: [text], edits }, [segment(read, 0, 1000)]).every((verdict) => verdict.isMet);
    expect(matches('Upload completed', 'Upload complete')).to.equal(false);
    expect(matches('Reupload complete', 'upload complete')).to.equal(false);
    expect(matches('Upload completed', 'Upload complete', 1)).to.equal(true);
    expect(matches('Upload completes it', 'Upload complete', 1)).to.equal(true);
    expect(matches('Upload completely', 'Upload complete', 1)).to.equal(false);
    expect(matches('Upload completeTry again', 'Upload complete')).to.equal(true);
    expect(matches('Invoice20931', 'Invoice')).to.equal(true);
    expect(matches('上传完成了', '完成')).to.equal(true);
  });

  it('may have some letters wrong, but no digit', () => {
    expect(isMet({ texts: ['Payment filed'], edits: 1 })).to.equal(true);
    expect(isMet({ texts: ['Paiment filed'], edits: 1 })).to.equal(false);
    expect(isMet({ texts: ['Order 4712'], edits: 1 })).to.equal(false);
    expect(isMet({ texts: ['Ordr 4711'], edits: 1 })).to.equal(true);
  });

  it('may be a regular expression', () => {
    expect(isMet({ texts: ['^Order \\d{4}$'], isRegex: true })).to.equal(true);
    expect(isMet({ texts: ['^Order \\d{5}$'], isRegex: true })).to.equal(false);
  });

  it('may be bound to a time and to a duration', () => {
    expect(isMet({ texts: ['Payment failed'], withinMs: [3000, 6000], atLeastMs: 2200 })).to.equal(true);
    expect(isMet({ texts: ['Payment failed'], atLeastMs: 2201 })).to.equal(false);
    expect(isMet({ texts: ['Payment failed'], withinMs: [0, 3200] })).to.equal(false);
    expect(isMet({ texts: ['Payment failed'], withinMs: [5000, 9000], atLeastMs: 401 })).to.equal(false);
  });

  it('may be expected to be absent', () => {
    expect(isMet({ absent: ['Payment accepted'] })).to.equal(true);
    expect(isMet({ absent: ['Payment failed'] })).to.equal(false);
    expect(isMet({ absent: ['Payment fail'] })).to.equal(false);
    expect(isMet({ absent: ['Order 471'] })).to.equal(true);
    expect(isMet({ absent: ['Payment failed'], withinMs: [0, 3000] })).to.equal(true);
  });

  it('that is not seen names the nearest text that was read', () => {
    const [verdict] = judgeTexts({ texts: ['Payment was accepted'] }, SEEN);
    expect(verdict).to.deep.include({ isMet: false, seen: undefined, nearest: SEEN[0] });
    const [nothing] = judgeTexts({ texts: ['Anything'] }, []);
    expect(nothing?.nearest).to.equal(undefined);
  });

  it(`is correct in ${CLIPS} generated clips: no near miss passes, and hardly any match fails`, async () => {
    let [truths, missed, misses] = [0, 0, 0];
    const makers = ['adjacent cues', 'cues that differ in a digit', 'fades of half a second'] as const;
    for (let at = 0; at < CLIPS; at += 1) {
      const random = Random.of(`expect ${at}`);
      const name = random.pick(makers);
      const script = SCRIPTS[name]?.(random, name);
      if (script === undefined) throw new Error(`no script ${name}`);
      const { texts } = await findSegments(simulatedFrames(script, 200, random), { minDurationMs: 0 });
      const shown = new Set(script.texts.map(({ text }) => text));
      const wanted = [...shown];
      const nearMisses = wanted.map((text) => nearMiss(text, random)).filter((text) => !shown.has(text));
      for (const verdict of judgeTexts({ texts: wanted, atLeastMs: 600 }, texts)) {
        truths += 1;
        if (!verdict.isMet) missed += 1;
      }
      for (const verdict of judgeTexts({ texts: nearMisses, atLeastMs: 600 }, texts)) {
        misses += 1;
        expect(verdict.isMet, `${verdict.text} in ${script.name} ${at}`).to.equal(false);
      }
    }
    expect(misses).to.be.above(CLIPS);
    expect(missed, `of ${truths}`).to.be.at.most(0.01 * truths);
  });
});

/** Returns the text with another digit, or another word if it has none. */
function nearMiss(text: string, random: Random): string {
  if (/\d/.test(text)) return text.replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1 + random.below(8)) % 10));
  const words = text.split(' ');
  const at = random.below(words.length);
  return words.map((word, place) => (place === at ? `un${word}` : word)).join(' ');
}
