import { PACES, samplingFaults, type Sampling } from './sampling.ts';
import { RegionPicker } from './region-picker.tsx';

export interface SamplingFormProps {
  readonly sampling: Sampling;
  readonly onSampling: (sampling: Sampling) => void;
  /** Of the first video; null if this browser cannot play it. */
  readonly videoAddress: string | null;
}

/** The number of analysed frames, the time range, and the region. */
export function SamplingForm({ sampling, onSampling, videoAddress }: SamplingFormProps) {
  const faults = samplingFaults(sampling);
  return (
    <>
      <fieldset class="paces">
        <legend>How closely</legend>
        {PACES.map(({ pace, words }) => (
          <label key={pace} class="choice">
            <input
              type="radio"
              name="pace"
              checked={sampling.pace === pace}
              onChange={() => onSampling({ ...sampling, pace })}
            />
            {words}
          </label>
        ))}
      </fieldset>
      <details class="parts">
        <summary>Only a part</summary>
        <div class="times">
          {(['start', 'end'] as const).map((field) => (
            <label key={field}>
              {field === 'start' ? 'From' : 'To'}
              <input
                type="text"
                inputMode="numeric"
                placeholder={field === 'start' ? 'the beginning' : 'the end'}
                value={sampling[field]}
                aria-invalid={faults[field] !== undefined}
                aria-describedby={`fault-${field}`}
                onInput={({ currentTarget }) => onSampling({ ...sampling, [field]: currentTarget.value })}
              />
              <small id={`fault-${field}`} class="fault">
                {faults[field] ?? ''}
              </small>
            </label>
          ))}
        </div>
        <RegionPicker
          address={videoAddress}
          region={sampling.region}
          onRegion={(region) => onSampling({ ...sampling, region })}
        />
      </details>
    </>
  );
}
