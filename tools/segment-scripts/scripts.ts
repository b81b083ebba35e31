import type { Random } from '../fuzz/random.ts';
import { centred, HEIGHT, WIDTH, widthOf, type Script, type ShownObject, type ShownText } from './script.ts';

const PLAIN = 'color=c=0x1b2735';
const PAPER = 'color=c=0x303030';
const BUSY = 'mandelbrot=start_scale=0.9';
const SIZE = 36;
const LOWER = 640;

const SENTENCES = [
  'Where have you been all night?',
  'I told you that we would be late.',
  'No one listens to me anyway.',
  'The train leaves in a moment.',
  'You should have seen his face!',
  'Please close the door behind you.',
  'That is not what I meant to say.',
  'We never go there without a guide.',
  'Have you found the letter yet?',
  'Mother keeps it under the stairs.',
  'It was raining when they arrived.',
  'Ask him about the broken window.',
  'The doctor will see you shortly.',
  'Everything depends on the weather.',
  'She left the keys on the table.',
  'Do not touch anything in this room.',
] as const;

const BULLETS = [
  'Revenue grew over last year',
  'Costs stayed flat despite inflation',
  'Three new offices opened in Europe',
  'Next steps: hire, build, measure',
  'Customers renew their contracts',
  'Support answers within a day',
] as const;
const TITLES = ['Quarterly Results', 'Market Overview', 'Outlook and Plans', 'Questions and Answers'] as const;

type Maker = (random: Random, name: string) => Script;

function cue(text: string, fromMs: number, toMs: number, more: Partial<ShownText> = {}): ShownText {
  return { text, x: centred(text, SIZE), y: LOWER, size: SIZE, fromMs, toMs, ...more };
}

/** Returns this many sentences, without equal neighbours. */
function sentences(random: Random, count: number): readonly string[] {
  const start = random.below(SENTENCES.length);
  return Array.from({ length: count }, (_, at) => SENTENCES[(start + at * 5) % SENTENCES.length] ?? '');
}

function script(name: string, picture: string, durationMs: number, texts: readonly ShownText[], cues?: number): Script {
  return { name, picture, durationMs, texts, objects: [], cues };
}

/** Consecutive texts. */
function run(texts: readonly string[], startMs: number, durationMs: () => number, gapMs: () => number, more = {}) {
  const shown: ShownText[] = [];
  let at = startMs;
  for (const text of texts) {
    const until = at + durationMs();
    shown.push(cue(text, at, until, more));
    at = until + gapMs();
  }
  return { shown, endMs: at };
}

const between = (random: Random, from: number, to: number) => from + random.below((to - from) / 40) * 40;

export const SCRIPTS: Readonly<Record<string, Maker>> = {
  'adjacent cues': (random, name) => {
    const { shown, endMs } = run(
      sentences(random, 6),
      600,
      () => between(random, 1200, 2600),
      () => 0,
    );
    return script(name, PLAIN, endMs + 1000, shown, shown.length);
  },
  'repeated words': (random, name) => {
    const [first = '', second = ''] = sentences(random, 2);
    const words = [first, first, second, `${second} No way.`, second, 'No.', 'No.', 'No way.'];
    const { shown, endMs } = run(
      words,
      400,
      () => between(random, 1200, 2000),
      () => between(random, 1000, 1800),
    );
    return script(name, PLAIN, endMs, shown, shown.length);
  },
  'cues that differ in a digit': (random, name) => {
    const base = 10 + random.below(80);
    const words = [
      `Boarding at gate ${base}`,
      `Boarding at gate ${base + 6}`,
      `Boarding at gate ${base + 7}`,
      'Flight LH 2041 is delayed',
      'Flight LH 2047 is delayed',
      'Total amount due: $1,284.50',
      'Total amount due: $1,284.80',
    ];
    const { shown, endMs } = run(
      words,
      400,
      () => between(random, 1400, 2200),
      () => 0,
    );
    return script(name, PLAIN, endMs + 400, shown, shown.length);
  },
  'fades of half a second': (random, name) => {
    const { shown, endMs } = run(
      sentences(random, 5),
      600,
      () => between(random, 2400, 3400),
      () => between(random, 600, 1400),
      { fadeMs: 500, isBoxed: false },
    );
    return script(name, PLAIN, endMs, shown, shown.length);
  },
  'dialogues in two lines': (random, name) => {
    const lines = sentences(random, 12);
    const texts: ShownText[] = [];
    let at = 400;
    for (let pair = 0; pair + 1 < lines.length; pair += 2) {
      const until = at + between(random, 1600, 2600);
      texts.push(cue(`- ${lines[pair]}`, at, until, { y: LOWER - 56 }), cue(`- ${lines[pair + 1]}`, at, until));
      at = until + (random.chance(0.5) ? 0 : between(random, 800, 1600));
    }
    return script(name, PLAIN, at + 400, texts, 6);
  },
  'busy background': (random, name) => {
    const { shown, endMs } = run(
      sentences(random, 5),
      600,
      () => between(random, 1400, 2400),
      () => between(random, 800, 1600),
    );
    return { ...script(name, BUSY, endMs, shown), isBusy: true };
  },
  'ticker, clock and logo beside subtitles': (random, name) => {
    const { shown, endMs } = run(
      sentences(random, 6),
      2000,
      () => between(random, 1600, 2400),
      () => between(random, 0, 1600),
      { y: 520 },
    );
    const seconds = Math.ceil(endMs / 1000) + 1;
    const durationMs = seconds * 1000;
    const start = random.below(40);
    const clock = Array.from({ length: seconds }, (_, at): ShownText => {
      const text = `08:${String(14 + Math.floor((start + at) / 60))}:${String((start + at) % 60).padStart(2, '0')}`;
      return { text, x: 1080, y: 40, size: 28, fromMs: at * 1000, toMs: (at + 1) * 1000 };
    });
    const news = 'Parliament votes on the new budget today and the storm moves to the north of the country';
    const ticker: ShownText = {
      text: news,
      x: WIDTH,
      y: 660,
      size: 28,
      fromMs: 0,
      toMs: durationMs,
      speed: [-(WIDTH + widthOf({ text: news, size: 28 })) / (durationMs / 1000), 0],
    };
    const logo: ShownText = { text: 'CHANNEL NINE', x: 40, y: 40, size: 30, fromMs: 0, toMs: durationMs };
    return script(name, PLAIN, durationMs, [logo, ...clock, ...shown, ticker], shown.length);
  },
  'slides with growing bullets': (random, name) => {
    const texts: ShownText[] = [];
    let at = 0;
    let cues = 0;
    for (const [slide, title] of TITLES.entries()) {
      const bullets = 2 + random.below(3);
      const begins = Array.from({ length: bullets }, (_, bullet) => at + (bullet + 1) * between(random, 2000, 2400));
      const until = (begins.at(-1) ?? at) + 3000;
      texts.push({ text: title, x: 100, y: 70, size: 52, fromMs: at, toMs: until });
      for (const [bullet, fromMs] of begins.toSorted((a, b) => a - b).entries()) {
        const text = BULLETS[(slide + bullet * 2) % BULLETS.length] ?? '';
        texts.push({ text, x: 120, y: 200 + bullet * 80, size: 34, fromMs, toMs: until });
      }
      cues += 1 + bullets;
      at = until;
    }
    return script(name, PAPER, at, texts, cues);
  },
  'scoreboard over two minutes': (random, name) => {
    const durationMs = 120_000;
    const texts: ShownText[] = [];
    let [home, away] = [0, 0];
    let at = 0;
    let cues = 0;
    while (at < durationMs) {
      const until = Math.min(durationMs, at + between(random, 16_000, 34_000));
      texts.push({ text: `HOME ${home} - ${away} AWAY`, x: 40, y: 36, size: 32, fromMs: at, toMs: until });
      if (random.chance(0.5)) home += 1;
      else away += 1;
      at = until;
      cues += 1;
    }
    for (let second = 0; second < durationMs / 1000; second += 1) {
      const clock = `78:${String(second % 60).padStart(2, '0')}`.replace('78', String(78 + Math.floor(second / 60)));
      const [fromMs, toMs] = [second * 1000, (second + 1) * 1000];
      texts.push({ text: `2nd half ${clock}`, x: 40, y: 96, size: 28, fromMs, toMs });
    }
    return script(name, 'color=c=0x2e7d32', durationMs, texts, cues);
  },
  'rolling credits': (random, name) => {
    const names = ['Director Ann Lee', 'Camera Tom Brook', 'Sound Eve Hart', 'Music Kim Stone', 'Editor Max Field'];
    const speed = -(60 + random.below(60));
    const texts = names.map((text, at): ShownText => {
      const fromMs = Math.round((at * 120 * 1000) / -speed);
      const toMs = fromMs + Math.round(((HEIGHT - 60) * 1000) / -speed);
      return { text, x: centred(text, SIZE), y: HEIGHT - 60, size: SIZE, fromMs, toMs, speed: [0, speed] };
    });
    const durationMs = Math.max(...texts.map(({ toMs }) => toMs)) + 400;
    return script(name, 'color=c=black', durationMs, texts);
  },
  'objects with gaps of one frame': (random, name) => {
    const objects = ['car', 'car', 'person', 'person', 'dog'].map((label, at): ShownObject => {
      const fromMs = between(random, 0, 4000);
      const direction = at % 2 === 0 ? 1 : -1;
      return {
        label,
        size: label === 'car' ? [200, 110] : [70, 160],
        corner: [direction > 0 ? 60 : 1000, 60 + at * 120],
        speed: [direction * (40 + random.below(80)), random.below(20) - 10],
        fromMs,
        toMs: fromMs + between(random, 4000, 8000),
      };
    });
    return { name, picture: PLAIN, durationMs: 12_000, texts: [], objects, cues: undefined };
  },
};
