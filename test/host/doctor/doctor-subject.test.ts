import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FlagValues } from '../../../src/config/setting.ts';
import { doctorSubject, type SubjectParts } from '../../../src/host/doctor/doctor-subject.ts';
import { readAgentConfig, readEdgeConfig } from '../../../src/host/settings/program-config.ts';
import { issueCa } from '../../../src/state/certificate-issuer.ts';

let stateDir: string;

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'giraffe-doctor-'));
});
afterEach(() => rmSync(stateDir, { recursive: true }));

async function subject(flags: FlagValues, target?: string): Promise<SubjectParts> {
  const input = { flags: { 'state-dir': stateDir, ...flags }, environment: { HOME: stateDir } };
  const config = { edge: await readEdgeConfig(input), agent: await readAgentConfig(input) };
  return doctorSubject(config, input, target, async () => '');
}

async function makeCa(): Promise<void> {
  writeFileSync(join(stateDir, 'ca.pem'), (await issueCa(Date.now())).certPem);
}

describe('doctorSubject()', () => {
  it('finds neither edge nor agent on a fresh machine, and looks whether an edge could start', async () => {
    const parts = await subject({});
    expect(parts).toMatchObject({ edge: { exists: false, ports: { proxy: 8081 } }, way: undefined, services: [] });
  });

  it('takes a state folder with a CA for an edge, and looks at the way to it from here', async () => {
    await makeCa();
    const { edge, way } = await subject({ 'grpc-port': '5555' });
    expect(edge).toMatchObject({ exists: true, isOnlyWay: true, ports: { grpc: 5555 }, calledBy: ['localhost'] });
    expect(way).toMatchObject({ server: { host: 'localhost', grpcPort: 5555 }, trust: { kind: 'ca' } });
  });

  it('takes a server elsewhere for an agent alone, whatever the state folder holds', async () => {
    await makeCa();
    const { edge, way } = await subject({ server: 'tunnels.example.com' });
    expect(edge).toBeUndefined();
    expect(way).toMatchObject({ server: { host: 'tunnels.example.com', grpcPort: 4444 }, trust: { kind: 'system' } });
    expect(way?.token).toMatchObject({ value: undefined, source: expect.stringContaining('there is no token') });
  });

  it('looks at edge, way and service where all are on one machine', async () => {
    await makeCa();
    const { edge, way, services } = await subject({ domain: 'app.localhost' }, '3000');
    expect(edge).toMatchObject({ exists: true, isOnlyWay: false });
    expect(way).toMatchObject({ server: { host: 'localhost', grpcPort: 4444 }, domains: ['app.localhost'] });
    expect(services).toMatchObject([{ domain: 'app.localhost', target: { port: 3000 } }]);
  });

  it('calls the edge by its public name with a certificate of the operator', async () => {
    const { edge, way } = await subject({ 'tls-cert': '/c.pem', 'tls-key': '/k.pem', 'base-domain': 'example.com' });
    expect(edge).toMatchObject({ tls: { cert: '/c.pem', key: '/k.pem' }, calledBy: ['example.com'] });
    expect(way?.server.host).toBe('example.com');
  });

  it('refuses a target that is none', async () => {
    await expect(subject({}, 'no target')).rejects.toMatchObject({ code: 'GIR_ERR_USAGE' });
  });
});
