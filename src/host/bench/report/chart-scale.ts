/** Maps values to places on an axis, and chooses round values to label. Pure. */

/** An axis from 0 to 1. */
export interface Scale {
  /** Place of a value, from 0 to 1. */
  at(value: number): number;
  /** Values worth a label. */
  readonly ticks: readonly number[];
}

/** From 0 to a round value that is not below `max`. @param wanted About how many labels there is room for. */
export function linearScale(max: number, wanted = 4): Scale {
  const step = roundUp((max <= 0 ? 1 : max) / wanted);
  const steps = Math.max(1, Math.ceil(max / step - 1e-9));
  const top = step * steps;
  return {
    at: (value) => value / top,
    ticks: Array.from({ length: steps + 1 }, (_, index) => Number((index * step).toPrecision(12))),
  };
}

/** Logarithmic, between round values around `min` and `max`; both above 0. Powers of ten have labels. */
export function logScale(min: number, max: number): Scale {
  const bottom = -roundUp(-min);
  const top = roundUp(max);
  const low = Math.log10(bottom);
  const span = Math.max(Math.log10(top) - low, 1e-9);
  const firstPower = Math.ceil(low - 1e-9);
  const powers = Array.from(
    { length: Math.floor(low + span - firstPower + 1e-9) + 1 },
    (_, index) => 10 ** (firstPower + index),
  );
  return { at: (value) => (Math.log10(Math.max(value, bottom)) - low) / span, ticks: powers };
}

const roundFactors = [1, 2, 5, 10];

/** 1, 2 or 5 times a power of ten that is not below `value`; of a negative one, the next that is not below it. */
function roundUp(value: number): number {
  const size = Math.abs(value);
  const power = 10 ** Math.floor(Math.log10(size));
  if (0 < value) return (roundFactors.find((factor) => size <= factor * power * (1 + 1e-9)) ?? 10) * power;
  return -(roundFactors.findLast((factor) => factor * power * (1 - 1e-9) <= size) ?? 1) * power;
}
