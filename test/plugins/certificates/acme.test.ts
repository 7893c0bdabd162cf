import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import type { ExtensionContext } from '../../../src/extension/index.ts';
import { AcmeSource } from '../../../src/plugins/certificates/acme.ts';
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

it('a clock that is years ahead does not order the same certificate over and over, and is got over once it is right', async () => {
  const path = await mkdtemp(join(tmpdir(), 'giraffe-acme-'));
  const made = await testCertificate();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 20 * yearMs });
  const failures: object[] = [];
  const context: ExtensionContext = {
    stateDir: path,
    configDir: path,
    now: Date.now,
    logger: { debug: silent, info: silent, error: silent, warn: (fields: object) => failures.push(fields) } as never,
  };
  let orders = 0;
  const ca = {
    challengeCertificates: new Map(),
    challengeAnswers: new Map(),
    order: async () => {
      orders += 1;
      if (orders > 50) throw new Error('too many orders');
      return made;
    },
  };
  try {
    await using source = new AcmeSource(undefined, ca, await AcmeFiles.open(context, 'https://ca.test/'), context);
    source.want(['app.example.com']);
    await eventually('the order is over', () => failures.length > 0);
    expect(orders).toBe(1);
    expect(failures).toMatchObject([{ name: 'app.example.com', retryMs: 6 * 3_600_000 }]);
    expect(source.certificateFor('app.example.com')?.certPem).toBe(made.certPem);

    vi.useRealTimers();
    source.want(['app.example.com', 'other.example.com']);
    await eventually('the other one is there', () => source.certificateFor('other.example.com') !== undefined);
    expect(orders).toBe(2);
  } finally {
    await rm(path, { recursive: true });
  }
});

it('a CA that says to come back tomorrow ends the order, so that no other name waits for it', async () => {
  const path = await mkdtemp(join(tmpdir(), 'giraffe-acme-'));
  await using ca = await startHttpOrigin((_request, response) => {
    response.writeHead(503, { 'Retry-After': '86400' }).end();
  });
  const context = { stateDir: path, configDir: path, now: Date.now, logger: {} as never };
  try {
    await using files = await AcmeFiles.open(context, 'https://ca.test/');
    const account = {
      directoryUrl: `http://${ca.target}/`,
      email: undefined,
      challenges: ['http-01'],
      directoryCa: undefined,
    };
    await expect(new AcmeOrders(account, files).order('app.example.com')).rejects.toThrow('503');
  } finally {
    await rm(path, { recursive: true });
  }
});
