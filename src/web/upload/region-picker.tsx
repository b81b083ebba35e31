import { useState } from 'preact/hooks';
import type { Region } from './sampling.ts';

/** Smaller ones count as a click. */
const MIN_PART = 0.03;

export interface RegionPickerProps {
  /** Address of a video; null without a picture to draw on. */
  readonly address: string | null;
  readonly region: Region | null;
  readonly onRegion: (region: Region | null) => void;
}

/** A part of the picture: drawn with the pointer, or typed in percent of width and height. */
export function RegionPicker({ address, region, onRegion }: RegionPickerProps) {
  const [from, setFrom] = useState<readonly [number, number] | null>(null);
  return (
    <fieldset class="region">
      <legend>Only a part of the picture</legend>
      {address !== null && (
        <div
          class="region-picture"
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            setFrom(placeOf(event));
          }}
          onPointerMove={(event) => {
            if (from !== null) onRegion(regionBetween(from, placeOf(event)));
          }}
          onPointerUp={() => setFrom(null)}
        >
          <video
            src={address}
            muted
            playsInline
            preload="auto"
            // The first picture is often black.
            onLoadedMetadata={({ currentTarget }) => {
              currentTarget.currentTime = currentTarget.duration / 4;
            }}
          />
          {region !== null && (
            <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
              <path
                d={`M0 0H1V1H0z M${region[0]} ${region[1]}v${region[3]}h${region[2]}v${-region[3]}z`}
                fill-rule="evenodd"
              />
            </svg>
          )}
        </div>
      )}
      <div class="region-numbers">
        {(['left', 'top', 'width', 'height'] as const).map((name, index) => (
          <label key={name}>
            {name} %
            <input
              type="number"
              min={0}
              max={100}
              value={region === null ? '' : Math.round((region[index] ?? 0) * 100)}
              onChange={({ currentTarget }) => onRegion(withNumber(region, index, currentTarget.valueAsNumber / 100))}
            />
          </label>
        ))}
        <button type="button" disabled={region === null} onClick={() => onRegion(null)}>
          Whole picture
        </button>
      </div>
    </fieldset>
  );
}

/** Returns the position of the pointer as fractions of the picture. */
function placeOf(event: PointerEvent & { readonly currentTarget: HTMLElement }): readonly [number, number] {
  const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
  return [clamped((event.clientX - left) / width), clamped((event.clientY - top) / height)];
}

function clamped(part: number): number {
  return Math.min(1, Math.max(0, part));
}

function regionBetween(a: readonly [number, number], b: readonly [number, number]): Region | null {
  const [x, y] = [Math.min(a[0], b[0]), Math.min(a[1], b[1])];
  const [width, height] = [Math.abs(a[0] - b[0]), Math.abs(a[1] - b[1])];
  return width < MIN_PART || height < MIN_PART ? null : [round(x), round(y), round(width), round(height)];
}

/** Replaces a number and shrinks what no longer fits. */
function withNumber(region: Region | null, index: number, value: number): Region | null {
  if (Number.isNaN(value)) return region;
  const next = [...(region ?? [0, 0, 1, 1])];
  next[index] = clamped(value);
  const [x = 0, y = 0, width = 1, height = 1] = next;
  const [left, top] = [Math.min(x, 1 - MIN_PART), Math.min(y, 1 - MIN_PART)];
  const fit = (size: number, free: number): number => round(Math.max(MIN_PART, Math.min(size, free)));
  return [round(left), round(top), fit(width, 1 - left), fit(height, 1 - top)];
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
