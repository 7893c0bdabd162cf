/** The service files in deploy/, as far as that can be told without a service manager or a container engine. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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
});
