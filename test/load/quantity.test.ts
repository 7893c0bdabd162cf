import { describe, expect, it } from 'vitest';
import { bytesText, countText, millisecondsText, percentText, rateNumber, timeText } from '../../src/load/quantity.ts';

describe('quantities as text', () => {
  it.each([
    [timeText(0.004), '0ms'],
    [timeText(0.85), '0.85ms'],
    [timeText(8.52), '8.5ms'],
    [timeText(12.4), '12ms'],
    [timeText(9999), '9999ms'],
    [timeText(12_340), '12.3s'],
    [millisecondsText(12_340), '12340ms'],
    [countText(999), '999'],
    [countText(1_234_567), '1,234,567'],
    [bytesText(999), '999 B'],
    [bytesText(1500), '1.5 kB'],
    [bytesText(999_600), '1 MB'],
    [bytesText(-1500), '-1.5 kB'],
    [bytesText(12_345_678_901), '12.3 GB'],
    [percentText(0), '0%'],
    [percentText(0.00001), '<0.01%'],
    [percentText(0.001), '0.1%'],
    [percentText(0.12), '12%'],
    [percentText(0.99999), '>99.99%'],
    [percentText(1), '100%'],
    [rateNumber(12.34), '12.3'],
    [rateNumber(12_345.6), '12,346'],
  ])('%s is %s', (text, expected) => {
    expect(text).toBe(expected);
  });
});
