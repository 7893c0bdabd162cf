/** The service files in deploy/, as far as that can be told without a service manager or a container engine. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { startHttpOrigin } from '../support/origins.ts';
import { hasPrograms } from '../support/programs.ts';
import { filesBelow, readText, root } from '../support/repository.ts';

describe('service files', () => {
  it.skipIf(!hasPrograms('systemd-analyze'))('are units that systemd understands whole', () => {
    const units = filesBelow('deploy/systemd', '.service').map((unit) => join(root, unit));
    expect(units).toHaveLength(2);
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', ...units], { encoding: 'utf8' });
    expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: '' });
  });

  it('copy into the image only what a build has, and all that a package has', () => {
    const copied = [...readText('deploy/docker/Dockerfile').matchAll(/^COPY --from=build (.+) \S+$/gm)]
      .flatMap(([, paths = '']) => paths.split(' '))
      .map((path) => path.replace('/build/', ''));
    expect(copied.filter((path) => path !== 'dist' && !existsSync(join(root, path)))).toEqual([]);
    const { files } = JSON.parse(readText('package.json')) as { files: string[] };
    const needed = files.filter((file) => !file.endsWith('.md'));
    expect(copied).toEqual(expect.arrayContaining(needed));
  });

  it('make an image of a Dockerfile in which a linter finds nothing, from its own stages alone', () => {
    const text = readText('deploy/docker/Dockerfile');
    expect(validate(text)).toEqual([]);
    expect(validate(`${text}\nRUNN true\n`)).toHaveLength(1);
    const stages = [...text.matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, stage]) => stage);
    expect([...text.matchAll(/--from=(\S+)/g)].filter(([, stage]) => !stages.includes(stage))).toEqual([]);
  });

  it.skipIf(!hasPrograms('docker-compose'))('describe services that docker-compose understands', () => {
    const file = join(root, 'deploy/docker/compose.yaml');
    const { status, stdout, stderr } = spawnSync('docker-compose', ['--file', file, 'config'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('read_only: true');
  });

  it('tell by the health check of the image whether an edge or an agent is ready', async () => {
    const line = readText('deploy/docker/Dockerfile').match(/^ {4}CMD (\[.*\])$/m)?.[1] ?? '[]';
    const [, ...args] = JSON.parse(line) as string[];
    let isReady = true;
    await using part = await startHttpOrigin((request, response) => {
      response.writeHead(request.url === '/readyz' && isReady ? 200 : 503).end();
    });
    const unused = String(await freePort());
    const isHealthy = async (API_PORT: string, GIRAFFE_INSPECT_PORT: string): Promise<boolean> => {
      const env = { API_PORT, GIRAFFE_INSPECT_PORT };
      return promisify(execFile)(process.execPath, args, { env }).then(
        () => true,
        () => false,
      );
    };
    expect(await isHealthy(String(part.port), unused)).toBe(true);
    expect(await isHealthy(unused, String(part.port))).toBe(true);
    expect(await isHealthy(unused, unused)).toBe(false);
    isReady = false;
    expect(await isHealthy(String(part.port), unused)).toBe(false);
  });
});
