import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { mayShowOption } from '../../../src/host/extensions/option-secrets.ts';

describe('mayShowOption()', () => {
  const options = z.strictObject({
    url: z.string(),
    key: z.string().meta({ secret: true }),
    nested: z.strictObject({ name: z.string(), password: z.string().meta({ secret: true }) }).optional(),
    names: z.array(z.string()),
    either: z.union([z.strictObject({ a: z.string() }), z.strictObject({ b: z.string().meta({ secret: true }) })]),
    any: z.record(z.string(), z.string()),
  });

  it.each([
    ['url', true],
    ['key', false],
    ['nested.name', true],
    ['nested.password', false],
    ['names.0', true],
    ['either.a', true],
    ['either.b', false],
    ['any.x', true],
    ['unknown', false],
  ])('decides about %s', (path, expected) => {
    expect(mayShowOption(options, path.split('.'))).toBe(expected);
  });
});
