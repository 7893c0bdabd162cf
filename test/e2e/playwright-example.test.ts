/** The fixture for Playwright in examples/ works, with Debian's browser: a page is seen through a tunnel. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { GiraffeHome } from '../support/giraffe-process.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { hasPrograms } from '../support/programs.ts';
import { root } from '../support/repository.ts';

const settings = {
  workers: 1,
  retries: 0,
  reporter: 'list',
  use: { launchOptions: { executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] } },
};

describe.skipIf(!hasPrograms('chromium'))('examples/playwright', () => {
  it('O6 a browser test gets the public URL of a tunnel, and the tunnel ends with it', async () => {
    await using home = new GiraffeHome();
    const hosts: (string | undefined)[] = [];
    await using service = await startHttpOrigin((request, response) => {
      hosts.push(request.headers.host);
      response.setHeader('Content-Type', 'text/html').end('<p>hello');
    });
    const edge = await home.startEdge(['--log-file', join(home.path, 'edge.log')]);
    // A project of its own, so that nothing of ours is found but what npm would install there.
    const project = join(home.path, 'project');
    cpSync(join(root, 'examples', 'playwright'), project, { recursive: true });
    mkdirSync(join(project, 'node_modules', '@playwright'), { recursive: true });
    symlinkSync(root, join(project, 'node_modules', 'giraffe-tunnel'));
    symlinkSync(join(root, 'node_modules/@playwright/test'), join(project, 'node_modules/@playwright/test'));
    writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
    writeFileSync(join(project, 'playwright.config.ts'), `export default ${JSON.stringify(settings)};\n`);
    const env = {
      GIRAFFE_SERVER: `localhost:${edge.ports.grpc}`,
      GIRAFFE_TOKEN: readFileSync(join(home.stateDir, 'agent-token'), 'utf8').trim(),
      GIRAFFE_CA: join(home.stateDir, 'ca.pem'),
      APP_PORT: String(service.port),
    };
    const tests = home.shell(`cd project && exec node node_modules/@playwright/test/cli.js test`, { env });
    const { code } = await tests.ended();
    expect(code, tests.output).toBe(0);
    expect(tests.stdout).toContain('1 passed');
    expect(hosts.at(-1)).toMatch(/^[a-z]+-[a-z]+-\d+\.localhost:\d+$/);
    const closed = () => readFileSync(join(home.path, 'edge.log'), 'utf8').split('"carrier closed"').length - 1;
    await eventually('the end of both carriers', () => closed() === 2);
  });
});
