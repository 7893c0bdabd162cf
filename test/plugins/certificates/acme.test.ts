import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import type { ExtensionContext } from '../../../src/extension/index.ts';
import { AcmeSource, acme } from '../../../src/plugins/certificates/acme.ts';
import { AcmeFiles } from '../../../src/plugins/certificates/acme-files.ts';
import { AcmeOrders } from '../../../src/plugins/certificates/acme-orders.ts';
import { eventually } from '../../support/eventually.ts';
import { startHttpOrigin } from '../../support/origins.ts';
import { testCertificate } from '../../support/test-certificate.ts';

const yearMs = 365 * 86_400_000;
const silent = () => undefined;

afterEach(() => {
  vi.useRealTimers();
});

/** A source in front of a CA that signs whatever is asked for, by a clock that the test moves. */
async function startSource(names?: readonly string[]) {
  const path = await mkdtemp(join(tmpdir(), 'giraffe-acme-'));
  const made = await testCertificate();
  const warnings: object[] = [];
  const orders: string[] = [];
  const clock = { nowMs: 0 };
  const context: ExtensionContext = {
    stateDir: path,
    configDir: path,
    now: () => clock.nowMs,
    logger: { debug: silent, info: silent, error: silent, warn: (fields: object) => warnings.push(fields) } as never,
  };
  const ca = {
    challengeCertificates: new Map(),
    challengeAnswers: new Map(),
    order: async (name: string) => {
      orders.push(name);
      if (orders.length > 50) throw new Error('too many orders');
      return made;
    },
  };
  const source = new AcmeSource(names, ca, await AcmeFiles.open(context, 'https://ca.test/'), context);
  return {
    source,
    made,
    warnings,
    orders,
    clock,
    has: (name: string) => eventually(`${name} is there`, () => source.certificateFor(name) !== undefined),
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]();
      await rm(path, { recursive: true });
    },
  };
}

it('a clock that is years ahead does not order the same certificate over and over, and is got over once it is right', async () => {
  await using world = await startSource();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 20 * yearMs });
  const { source, warnings, orders, made } = world;
  source.want(['app.example.com']);
  await eventually('the order is over', () => warnings.length > 0);
  expect(orders).toHaveLength(1);
  expect(warnings).toMatchObject([{ name: 'app.example.com', retryMs: 6 * 3_600_000 }]);
  expect(source.certificateFor('app.example.com')?.certPem).toBe(made.certPem);

  vi.useRealTimers();
  source.want(['app.example.com', 'other.example.com']);
  await world.has('other.example.com');
  expect(orders).toHaveLength(2);
});

it('a certificate is ordered again only while its name is served', async () => {
  await using world = await startSource();
  const { source, orders, clock } = world;
  source.want(['gone.example.com', 'served.example.com']);
  await world.has('served.example.com');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 20 * yearMs });
  clock.nowMs += 24 * 3_600_000;
  source.want(['served.example.com']);
  await eventually('it was renewed', () => orders.length === 3);
  await eventually('the work is over', () => world.warnings.length === 1);
  expect(orders).toEqual(['gone.example.com', 'served.example.com', 'served.example.com']);
  source.want(['gone.example.com']);
  await eventually('it is renewed when it is back', () => orders.length === 4);
});

it('names beyond the thousandth are told of, once an hour', async () => {
  await using world = await startSource();
  const { source, warnings, clock } = world;
  const refusals = () => warnings.filter((fields) => 'count' in fields);
  source.want(Array.from({ length: 1000 }, (_, n) => `n${n}.example.com`));
  expect(refusals()).toEqual([]);
  source.want(['a.example.com', 'b.example.com', 'localhost']);
  source.want(['c.example.com']);
  expect(refusals()).toMatchObject([{ name: 'a.example.com', count: 2 }]);
  clock.nowMs += 3_600_000;
  source.want(['c.example.com']);
  expect(refusals()).toHaveLength(2);
});

it('names in the options have no case', async () => {
  const { names } = acme.options.parse({ agreeToTerms: true, names: ['App.Example.com', '*.Sub.example.com'] });
  await using world = await startSource(names);
  world.source.want(['app.example.com', 'a.sub.example.com', 'other.example.com']);
  await world.has('a.sub.example.com');
  expect(world.orders).toEqual(['app.example.com', 'a.sub.example.com']);
});

it.each<[string, string, (response: ServerResponse) => void]>([
  ['says to come back tomorrow', '503', (response) => response.writeHead(503, { 'Retry-After': '86400' }).end()],
  ['does not answer', 'timeout of 50ms exceeded', () => {}],
  ['breaks off', 'socket hang up', (response) => response.destroy()],
  ['does not come to an end', 'maxContentLength', (response) => response.end('x'.repeat(1024 * 1024 + 1))],
])('a CA that %s ends the order, so that no other name waits for it', async (_case, why, answer) => {
  const path = await mkdtemp(join(tmpdir(), 'giraffe-acme-'));
  await using ca = await startHttpOrigin((_request, response) => answer(response));
  const context = { stateDir: path, configDir: path, now: Date.now, logger: {} as never };
  try {
    await using files = await AcmeFiles.open(context, 'https://ca.test/');
    const account = {
      directoryUrl: `http://${ca.target}/`,
      email: undefined,
      challenges: ['http-01'],
      directoryCa: undefined,
    };
    await expect(new AcmeOrders(account, files, 50).order('app.example.com')).rejects.toThrow(why);
  } finally {
    await rm(path, { recursive: true });
  }
});
