const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Formats milliseconds in at most two units: `340 ms`, `4.2 s`, `2 min 05 s`, `3 h 12 min`, `2 d 04 h`. */
export function formatDuration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${two((ms % MINUTE) / SECOND)} s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${two((ms % HOUR) / MINUTE)} min`;
  return `${Math.floor(ms / DAY)} d ${two((ms % DAY) / HOUR)} h`;
}

/** Formats a time in a video: `0:12.480`, `1:02:03.000`. */
export function formatTimecode(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  const hours = Math.floor(whole / HOUR);
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  const seconds = `${two((whole % MINUTE) / SECOND)}.${String(whole % SECOND).padStart(3, '0')}`;
  return hours === 0 ? `${minutes}:${seconds}` : `${hours}:${two(minutes)}:${seconds}`;
}

/** Formats how long ago: `now`, `12 s ago`, `3 min ago`, and the date after a week. */
export function formatAge(iso: string, nowMs: number): string {
  const ms = nowMs - Date.parse(iso);
  if (ms < 2 * SECOND) return 'now';
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s ago`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ago`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ago`;
  if (ms < 7 * DAY) return `${Math.floor(ms / DAY)} d ago`;
  return iso.slice(0, 10);
}

/** Formats a time in the viewer's time zone: `22 Nov 2026, 11:50:26`. */
export function formatDate(iso: string): string {
  return new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}

/** Formats a length or a time in a video to the second: `0:12`, `1:02:03`. */
export function formatClock(ms: number): string {
  return formatTimecode(Math.floor(Math.max(0, ms) / SECOND) * SECOND).replace(/\.\d+$/, '');
}
