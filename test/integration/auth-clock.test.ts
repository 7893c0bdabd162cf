/** Hardening 16: credentials last as long as they say in real time, whatever becomes of the machine's clock. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AgentOptions } from '../../src/agent/agent-options.ts';
import { CredentialClock } from '../../src/edge/credential-clock.ts';
import type { AuthProvider } from '../../src/extension/index.ts';
import { Lifetimes } from '../../src/host/lifecycle/lifetimes.ts';
import { createJwtProvider, jwt } from '../../src/plugins/auth/jwt.ts';
import { createMtlsProvider, mtls } from '../../src/plugins/auth/mtls.ts';
import { tokens } from '../../src/plugins/auth/tokens.ts';
import { openStateFolder } from '../../src/state/state-folder.ts';
import { openTokenStore } from '../../src/state/token-store.ts';
import { createTemporaryFolder } from '../state/temporary-folder.ts';
import { createClientCa } from '../support/client-certificates.ts';
import { eventually } from '../support/eventually.ts';
import { RunningClock } from '../support/running-clock.ts';
import { audience, issuerName, startTokenIssuer } from '../support/token-issuer.ts';
import { testContext } from '../support/workshop.ts';
import { recordingLogger, startTestAgent, startTestEdge } from '../support/world.ts';

const hourMs = 3_600_000;

/** Credentials that expire, and who judges them. */
interface Issued {
  readonly provider: AuthProvider;
  readonly agent: Partial<AgentOptions>;
}

type Issue = (expiresAt: Date, now: () => number, all: Lifetimes) => Promise<Issued>;

const token: Issue = async (expiresAt, now, all) => {
  const stateDir = await createTemporaryFolder();
  const store = await openTokenStore(await openStateFolder(stateDir));
  const { secret } = await store.createToken({ name: 'brief', endpoints: ['*'], expiresAt });
  const provider = await tokens.create({}, testContext({ stateDir, now }));
  all.defer(async () => provider[Symbol.asyncDispose]?.());
  return { provider, agent: { token: secret } };
};

const webToken: Issue = async (expiresAt, now, all) => {
  const issuer = all.use(await startTokenIssuer());
  const given = { jwksUrl: issuer.url, issuer: issuerName, audience, endpoints: ['*.test'], clockTolerance: '0s' };
  const provider = await createJwtProvider(jwt.options.parse(given), {
    now,
    configDir: '/',
    logger: { warn: () => {} },
  });
  return { provider, agent: { token: await issuer.sign({ exp: Math.floor(expiresAt.getTime() / 1000) }) } };
};

const certificate: Issue = async (expiresAt, _now, all) => {
  const ca = all.use(await createClientCa());
  const agents = [{ commonName: 'laptop', endpoints: ['*.test'] }];
  const provider = await createMtlsProvider(mtls.options.parse({ caFile: ca.file, agents }), '/');
  const clientCertificate = await ca.issue({ commonName: 'laptop', notAfter: expiresAt });
  return { provider, agent: { token: '', clientCertificate } };
};

function jump(ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });
}

afterEach(() => {
  vi.useRealTimers();
});

describe.each<[string, Issue]>([
  ['a token of the state folder', token],
  ['a JSON Web Token', webToken],
  ['a client certificate', certificate],
])('a clock that jumps, and %s', (_kind, issue) => {
  async function start(lastsMs: number, all: Lifetimes) {
    const { now } = new CredentialClock();
    const { provider, agent } = await issue(new Date(Date.now() + lastsMs), now, all);
    const { edge } = all.use(await startTestEdge({}, { authProviders: [{ name: 'test', provider }], now }));
    const open = async (domain: string, waits = true) =>
      all.use(await startTestAgent(edge.ports, domain, '1', { ...agent, waits }));
    return { edge, open };
  }

  it('hardening 16: an hour forward ends no session and refuses nobody whose ten minutes are not over', async () => {
    await using all = new Lifetimes();
    const { edge, open } = await start(600_000, all);
    const first = await open('a.test');
    jump(hourMs);
    await open('b.test');
    using clock = new RunningClock();
    await eventually('sessions were looked at twice', () => clock.ranMs > 600);
    expect(edge.sessions()).toHaveLength(2);
    expect(first.events.filter(({ type }) => type === 'reconnecting' || type === 'closed')).toEqual([]);
  });

  it('hardening 16: an hour back prolongs no session, and lets nobody in whose time is over', async () => {
    await using all = new Lifetimes();
    const { open } = await start(4000, all);
    const agent = await open('a.test');
    using clock = new RunningClock();
    jump(-hourMs);
    const { error } = await agent.event('closed');
    expect(error?.code).toBe('GIR_ERR_CREDENTIALS_REFUSED');
    expect(clock.ranMs).toBeLessThan(8000);
    const late = await open('b.test', false);
    await expect(late.agent.ready).rejects.toMatchObject({ code: 'GIR_ERR_CREDENTIALS_REFUSED' });
  });
});

describe('the clock of credentials', () => {
  it('hardening 16: tells the log once that the machine has another time, with the next step, and when that is over', () => {
    const { logger, lines } = recordingLogger();
    const clock = new CredentialClock();
    clock.compare(logger);
    expect(lines).toEqual([]);
    jump(hourMs);
    clock.compare(logger);
    clock.compare(logger);
    expect(lines).toEqual([
      { level: 'warn', machineAheadSeconds: 3600, message: expect.stringContaining('then restart the edge') },
    ]);
    vi.useRealTimers();
    clock.compare(logger);
    clock.compare(logger);
    expect(lines.slice(1)).toEqual([
      { level: 'info', machineAheadSeconds: expect.closeTo(0), message: expect.stringContaining('agrees') },
    ]);
  });
});
