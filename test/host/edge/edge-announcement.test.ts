import { describe, expect, it } from 'vitest';
import { edgeSettings } from '../../../src/config/edge-settings.ts';
import { type FlagValues, resolveSettings } from '../../../src/config/setting.ts';
import {
  type AnnouncedPorts,
  announcementOf,
  type EdgeAnnouncement,
  edgeReadyEvent,
  edgeReadyLines,
} from '../../../src/host/edge/edge-announcement.ts';

const edge: EdgeAnnouncement = {
  ports: { proxy: 8081, api: 8080, grpc: 4444, tunnel: 4443 },
  apiHost: '127.0.0.1',
  grpcPlaintextHost: '127.0.0.1',
  baseDomain: 'localhost',
  clientUrl: 'http://localhost:8081',
  publicHost: 'edge.example.com',
  frontServer: undefined,
  stateDir: '/state',
  isDefaultStateDir: true,
  caFingerprint: 'sha256:00',
  firstToken: 'grf_secret',
};

describe('edgeReadyLines()', () => {
  it('O1 has a line that is right for this machine and one to paste on another', () => {
    expect(edgeReadyLines(edge).map((line) => line.trim())).toEqual(
      expect.arrayContaining([
        'giraffe tunnel 3000',
        'GIRAFFE_TOKEN=grf_secret giraffe tunnel 3000 --server edge.example.com:4444 --ca sha256:00',
      ]),
    );
  });

  it('O1 names port and state folder where an agent would not find them by itself', () => {
    const lines = edgeReadyLines({
      ...edge,
      ports: { ...edge.ports, grpc: 5000 },
      stateDir: "/my state's",
      isDefaultStateDir: false,
    });
    expect(lines).toContain("  giraffe tunnel 3000 --server localhost:5000 --state-dir '/my state'\\''s'");
  });

  it('O1 names the TCP port where it is not the usual one: with gRPC blocked nobody could ask for it', () => {
    const lines = edgeReadyLines({ ...edge, ports: { ...edge.ports, tunnel: 5001 } }).map((line) => line.trim());
    expect(lines).toContain('giraffe tunnel 3000 --tunnel-port 5001');
    expect(lines.at(-1)).toContain('--server edge.example.com:4444 --tunnel-port 5001 --ca');
  });

  it('S7 shows no token that is not new', () => {
    const lines = edgeReadyLines({ ...edge, firstToken: undefined }).join('\n');
    expect(lines).not.toContain('GIRAFFE_TOKEN=');
    expect(lines).toContain('/state/agent-token');
  });

  it("O1 calls the public name when the certificate is the operator's", () => {
    const lines = edgeReadyLines({ ...edge, caFingerprint: undefined });
    expect(lines).toContain('  giraffe tunnel 3000 --server edge.example.com:4444');
  });
});

describe('announcementOf()', () => {
  const facts = {
    machineName: 'box',
    stateDir: '/state',
    isDefaultStateDir: true,
    caFingerprint: 'sha256:00',
    firstToken: 'grf_secret',
  };
  const ports = { ...edge.ports, grpcPlaintext: 4445 };
  const behind = { 'base-domain': 'example.com', 'public-port': '443', host: '127.0.0.1', 'grpc-plaintext': '4445' };
  const lastLine = (flags: FlagValues, given: AnnouncedPorts) =>
    edgeReadyLines(announcementOf(resolveSettings(edgeSettings, flags, {}), { ...facts, ports: given }))
      .at(-1)
      ?.trim();

  it('O1 sends agents elsewhere to the server in front, when the edge itself is on loopback', () => {
    expect(lastLine(behind, ports)).toBe('GIRAFFE_TOKEN=grf_secret giraffe tunnel 3000 --server example.com:443');
  });

  it.each([
    ['listens on all addresses', { ...behind, host: undefined }, ports],
    ['passes only connections on', { ...behind, 'grpc-plaintext': undefined }, edge.ports],
  ])('O1 sends agents to its own port when it %s', (_what, flags, given) => {
    expect(lastLine(flags, given)).toContain('--server example.com:4444 --ca sha256:00');
  });
});

describe('edgeReadyEvent()', () => {
  it('S7 holds ports and fingerprint, and no token', () => {
    expect(edgeReadyEvent(edge, 7)).toEqual({
      ports: edge.ports,
      baseDomain: 'localhost',
      stateDir: '/state',
      pid: 7,
      caFingerprint: 'sha256:00',
    });
  });
});
