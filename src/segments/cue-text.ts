import type { Listed, Scene } from './segment.ts';

/** Scenes as subtitle files: cues in order, without overlaps and empty ones. */

interface Cue {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

/** SubRip. */
export async function* srtText(scenes: Listed<Scene>): AsyncGenerator<string> {
  let number = 0;
  for await (const { startMs, endMs, text } of cuesOf(scenes)) {
    number += 1;
    yield `${number}\n${clock(startMs, ',')} --> ${clock(endMs, ',')}\n${text}\n\n`;
  }
}

/** WebVTT (W3C). */
export async function* vttText(scenes: Listed<Scene>): AsyncGenerator<string> {
  yield 'WEBVTT\n\n';
  for await (const { startMs, endMs, text } of cuesOf(scenes)) {
    const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    yield `${clock(startMs, '.')} --> ${clock(endMs, '.')}\n${escaped}\n\n`;
  }
}

/** Rounded to whole milliseconds, each starting no earlier than the previous one ends. */
async function* cuesOf(scenes: Listed<Scene>): AsyncGenerator<Cue> {
  let freeMs = 0;
  for await (const { start_ms: start, end_ms: end, text } of scenes) {
    const startMs = Math.max(freeMs, Math.round(start));
    const endMs = Math.max(startMs + 1, Math.round(end));
    // An empty line ends a cue, and an arrow marks its times.
    const lines = text
      .split(/[\r\n\u2028\u2029]+/)
      .map((line) => line.replaceAll('-->', '→').replaceAll('\0', '').trim())
      .filter((line) => line !== '');
    if (lines.length === 0) continue;
    yield { startMs, endMs, text: lines.join('\n') };
    freeMs = endMs;
  }
}

function clock(ms: number, separator: ',' | '.'): string {
  const seconds = Math.floor(ms / 1000);
  const hours = digits(Math.floor(seconds / 3600));
  const minutes = digits(Math.floor(seconds / 60) % 60);
  return `${hours}:${minutes}:${digits(seconds % 60)}${separator}${digits(ms % 1000, 3)}`;
}

function digits(value: number, length = 2): string {
  return String(value).padStart(length, '0');
}
