/** One rule for relative paths in a configuration file, wherever a command is run: they are relative to the file. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GiraffeHome } from '../support/giraffe-process.ts';
import { audience, issuerName, startTokenIssuer } from '../support/token-issuer.ts';

describe('relative paths in a configuration file', () => {
  it('lead edge, token commands, agent and extensions to the same files, from any folder', async () => {
    await using issuer = await startTokenIssuer();
    await using home = new GiraffeHome();
    const etc = join(home.path, 'etc');
    mkdirSync(etc);
    const jwt = { keyFile: './keys/issuer.json', issuer: issuerName, audience, endpoints: ['jwt.test'] };
    const file = join(etc, 'giraffe.config.json');
    const config = {
      server: { stateDir: 'state' },
      agent: { stateDir: './state' },
      auth: [{ provider: 'tokens' }, { provider: 'jwt', options: jwt }],
      log: { file: 'giraffe.log' },
    };
    writeFileSync(file, JSON.stringify(config));
    mkdirSync(join(etc, 'keys'));
    writeFileSync(join(etc, 'keys', 'issuer.json'), JSON.stringify(await issuer.publicJwk()));

    const edge = await home.startEdge(['--config', 'etc/giraffe.config.json']);
    expect(readdirSync(etc).sort()).toEqual(['giraffe.config.json', 'giraffe.log', 'keys', 'state']);
    const made = home.run(['token', 'create', '--name', 'ci', '--config', file]);
    expect((await made.ended()).code).toBe(0);
    for (const line of ['cd etc && giraffe token list', 'giraffe token list --config etc/giraffe.config.json']) {
      const list = home.shell(line);
      expect((await list.ended()).code, list.output).toBe(0);
      expect(list.stdout).toMatch(/ first .*\n.* ci /);
    }

    const withFile = ['--config', file, '--tunnel-port', String(edge.ports.tunnel)];
    await home.startAgent(edge, 1, withFile);
    await home.startAgent(edge, 1, [...withFile, '--domain', 'ci.test'], {
      env: { GIRAFFE_TOKEN: made.stdout.trim() },
    });
    await home.startAgent(edge, 1, [...withFile, '--domain', 'jwt.test'], {
      env: { GIRAFFE_TOKEN: await issuer.sign() },
    });
  });
});
