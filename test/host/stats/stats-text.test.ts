import { describe, expect, it } from 'vitest';
import {
  bytesText,
  countText,
  durationText,
  latencyText,
  shareText,
  sparkline,
} from '../../../src/host/stats/stats-text.ts';

describe('texts of figures', () => {
  it.each([
    [countText(0), '0'],
    [countText(999), '999'],
    [countText(1_234_567), '1,234,567'],
    [bytesText(999), '999 B'],
    [bytesText(1000), '1.0 kB'],
    [bytesText(20_400_000), '20 MB'],
    [latencyText(undefined), '-'],
    [latencyText(0.04), '0.0 ms'],
    [latencyText(9.96), '10.0 ms'],
    [latencyText(9999), '9999 ms'],
    [latencyText(10_000), '10.0 s'],
    [durationText(0), '0 s'],
    [durationText(61_000), '1 min 1 s'],
    [durationText(3_600_000), '1 h'],
    [durationText(90_000_000), '1 d 1 h'],
    [shareText(0, 0), '-'],
    [shareText(1, 200), '0.5%'],
    [shareText(1, 1), '100%'],
    [sparkline([]), ''],
    [sparkline([0, 0]), '▁▁'],
    [sparkline([0, undefined, 5, 10]), '▁ ▅█'],
  ])('is %j', (text, wanted) => {
    expect(text).toBe(wanted);
  });
});
