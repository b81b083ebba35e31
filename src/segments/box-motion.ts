import type { Box } from '../job.ts';

/**
 * The Kalman filter of ByteTrack and DeepSORT: a box moves with constant velocity. Their covariance matrices consist of
 * one 2 × 2 block for each of centre x, centre y, width and height, so four small filters give the same numbers.
 * Deviations are fractions of the box's size.
 */
const POSITION_DEVIATION = 1 / 20;
const VELOCITY_DEVIATION = 1 / 160;

/** A value with its velocity per step, and the covariance of both. */
interface Motion {
  readonly value: number;
  readonly velocity: number;
  readonly valueVariance: number;
  readonly covariance: number;
  readonly velocityVariance: number;
}

export class BoxMotion {
  #motions: readonly Motion[];

  constructor(box: Box) {
    const scale = scaleOf(box);
    this.#motions = valuesOf(box).map((value) => ({
      value,
      velocity: 0,
      valueVariance: square(2 * POSITION_DEVIATION * scale),
      covariance: 0,
      velocityVariance: square(10 * VELOCITY_DEVIATION * scale),
    }));
  }

  get box(): Box {
    const [x = 0, y = 0, width = 0, height = 0] = this.#motions.map(({ value }) => value);
    const [w, h] = [Math.max(1, width), Math.max(1, height)];
    return [x - w / 2, y - h / 2, w, h];
  }

  /** Advances by one step. */
  predict(): void {
    const scale = scaleOf(this.box);
    this.#motions = this.#motions.map(({ value, velocity, valueVariance, covariance, velocityVariance }) => ({
      value: value + velocity,
      velocity,
      valueVariance: valueVariance + 2 * covariance + velocityVariance + square(POSITION_DEVIATION * scale),
      covariance: covariance + velocityVariance,
      velocityVariance: velocityVariance + square(VELOCITY_DEVIATION * scale),
    }));
  }

  correct(box: Box): void {
    const noise = square(POSITION_DEVIATION * scaleOf(this.box));
    const measured = valuesOf(box);
    this.#motions = this.#motions.map((motion, at) => {
      const gain = motion.valueVariance / (motion.valueVariance + noise);
      const velocityGain = motion.covariance / (motion.valueVariance + noise);
      const surprise = (measured[at] ?? motion.value) - motion.value;
      return {
        value: motion.value + gain * surprise,
        velocity: motion.velocity + velocityGain * surprise,
        valueVariance: (1 - gain) * motion.valueVariance,
        covariance: (1 - gain) * motion.covariance,
        velocityVariance: motion.velocityVariance - velocityGain * motion.covariance,
      };
    });
  }
}

function valuesOf([x, y, width, height]: Box): readonly number[] {
  return [x + width / 2, y + height / 2, width, height];
}

/** DeepSORT uses the height; for a wide, low object that would be too small, so this is the mean of the sides. */
function scaleOf([, , width, height]: Box): number {
  return (width + height) / 2;
}

function square(value: number): number {
  return value * value;
}
