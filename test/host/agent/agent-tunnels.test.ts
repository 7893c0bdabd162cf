import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AgentFigures } from '../../../src/agent/figures.ts';
import { agentOptionsOf } from '../../../src/host/agent/agent-options-of.ts';
import { readAgentConfig } from '../../../src/host/settings/program-config.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { createTemporaryFolder } from '../../state/temporary-folder.ts';
import { createClientCa } from '../../support/client-certificates.ts';

/** Returns the options of an agent with this configuration file. */
async function optionsWith(config: object, flags: Readonly<Record<string, string | readonly string[]>> = {}) {
  const folder = await createTemporaryFolder();
  const file = join(folder, 'giraffe.config.json');
  await writeFile(file, JSON.stringify({ agent: { token: 'grf_x', ca: `sha256:${'0'.repeat(64)}` }, ...config }));
  const environment = { HOME: folder };
  const read = await readAgentConfig({ flags: { config: file, ...flags }, environment });
  const surroundings = {
    target: undefined,
    environment,
    logger: silentLogger,
    figures: new AgentFigures(),
    readStdin: async () => '',
  };
  return await agentOptionsOf(read, surroundings);
}

const local = (port: number) => ({ kind: 'tcp', host: 'localhost', port, tls: false });

describe('agentOptionsOf()', () => {
  it('P4 takes the named targets of a tunnel from the file', async () => {
    const { tunnels } = await optionsWith({ tunnels: { web: { target: 3000, targets: { canary: 3001 } } } });
    expect(tunnels).toMatchObject([{ target: local(3000), targets: { canary: local(3001) } }]);
  });

  it('P4 takes labels and weight from flags, else from the file, else none and 1', async () => {
    const tunnels = { web: { target: 3000 } };
    const agent = { token: 'grf_x', ca: `sha256:${'0'.repeat(64)}`, labels: ['region=eu', 'canary'], weight: 5 };
    const flags = { label: ['region=us', 'blue'], weight: '7' };
    expect(await optionsWith({ tunnels })).toMatchObject({ labels: [], weight: 1 });
    expect(await optionsWith({ tunnels, agent })).toMatchObject({ labels: ['region=eu', 'canary'], weight: 5 });
    expect(await optionsWith({ tunnels, agent }, flags)).toMatchObject({ labels: ['region=us', 'blue'], weight: 7 });
  });

  it('verifies https origins as the tunnel says, else as the section agent does, else by the roots of the system', async () => {
    await using ca = await createClientCa();
    const own = { web: { target: 'https://a.test', originCa: ca.file, originServerName: 'b.test' } };
    const none = { web: { target: 'https://a.test' } };
    const insecure = { token: 'grf_x', ca: `sha256:${'0'.repeat(64)}`, originInsecure: true };
    const trustOf = async (config: object, flags = {}) => (await optionsWith(config, flags)).tunnels[0].originTls;
    expect(await trustOf({ tunnels: none })).toEqual({ trust: { kind: 'system' } });
    expect(await trustOf({ tunnels: none, agent: insecure })).toEqual({ trust: { kind: 'insecure' } });
    const trusted = { trust: { kind: 'ca', pem: ca.certPem }, serverName: 'b.test' };
    expect(await trustOf({ tunnels: own, agent: insecure })).toEqual(trusted);
    const flags = { 'origin-ca': ca.file, 'origin-server-name': 'b.test' };
    expect(await trustOf({ tunnels: none }, flags)).toEqual(trusted);
  });

  it('reads the CA of an origin beside the file that names it, and names the file that is none', async () => {
    const tunnels = { web: { target: 'https://a.test', originCa: 'giraffe.config.json' } };
    await expect(optionsWith({ tunnels })).rejects.toMatchObject({
      code: 'GIR_ERR_CERTIFICATE',
      message: expect.stringMatching(/^\/.*giraffe\.config\.json holds no PEM certificate$/),
    });
  });

  it.each([
    ['a label with a space', { agent: { labels: ['a b'] } }],
    ['21 labels', { agent: { labels: Array.from({ length: 21 }, (_, index) => `l${index}`) } }],
    ['a weight of 0', { agent: { weight: 0 } }],
    ['a target without a proper name', { tunnels: { web: { target: 3000, targets: { 'a b': 3001 } } } }],
    ['a named target that is none', { tunnels: { web: { target: 3000, targets: { next: 'ftp://x' } } } }],
  ])('refuses %s', async (_, config) => {
    await expect(optionsWith({ tunnels: { web: { target: 3000 } }, ...config })).rejects.toMatchObject({
      code: 'GIR_ERR_CONFIG',
    });
  });
});
