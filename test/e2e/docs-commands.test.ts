/**
 * O1: the guides work as they stand. Of each page, the shell blocks are run and the configuration files written in the order
 * of the page, in one home folder. A block of one line with `giraffe server start` or `giraffe tunnel` runs until it serves,
 * and goes on beside what follows. Ports come from the environment, and npm, which would need the network, is a stand-in.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GiraffeHome } from '../support/giraffe-process.ts';
import { hasPrograms } from '../support/programs.ts';
import { readText, root } from '../support/repository.ts';

/** `npm install NAME` from what the repository has. */
const npm = `#!/bin/sh
for name; do case $name in install | -*) ;; *)
  source="${root}node_modules/$name"
  [ "$name" = giraffe-tunnel ] && source="${root}"
  mkdir -p node_modules && ln -sfn "$source" "node_modules/$name" ;;
esac; done
`;

/** What the blocks are run with. `serve NAME READY COMMAND…`: starts it, ends the former one, and waits for the text. */
const prelude = `set -e
serve() {
  name=$1 ready=$2; shift 2
  [ -f "$HOME/$name.pid" ] && kill "$(cat "$HOME/$name.pid")" && sleep 1
  "$@" > "$HOME/$name.log" 2>&1 &
  echo $! > "$HOME/$name.pid"
  until grep -q "$ready" "$HOME/$name.log"; do
    kill -0 "$(cat "$HOME/$name.pid")" || { cat "$HOME/$name.log"; exit 1; }
    sleep 0.1
  done
}
trap 'for file in "$HOME"/*.pid; do [ ! -f "$file" ] || kill "$(cat "$file")" || true; done' EXIT
`;

/** Returns one shell script of everything that a page tells to do. */
function scriptOf(page: string): string {
  const blocks = [...readText(page).matchAll(/```(sh|yaml)\n([\s\S]*?)```/g)];
  return blocks.map(([, language, text = '']) => (language === 'yaml' ? configured(text) : told(text))).join('\n');
}

function configured(text: string): string {
  return `cat > "$HOME/giraffe.config.yaml" <<'YAML'\n${text}YAML\n(cd "$HOME" && giraffe config validate)\n`;
}

function told(text: string): string {
  if (text.startsWith('giraffe server start')) return `serve edge 'The edge is ready' ${text}`;
  return text.startsWith('giraffe tunnel') ? `serve agent 'HYBRID MODE ACTIVE' ${text}` : text;
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return String(typeof address === 'object' ? address?.port : 0);
}

describe.skipIf(!hasPrograms('openssl'))('the guide', () => {
  it.each<[string, RegExp[]]>([
    [
      'docs/routing.md',
      [/rule 1 \(maintenance\) fires/, /rule 4 fires.*with urgency 6/, /over TCP, because it is an upgrade/],
    ],
    ['docs/authentication.md', [/^grf_\S+$/m, /Token ci .* is revoked/, /^\$scrypt\$\S+$/m]],
    ['docs/protection.md', [/giraffe\.config\.yaml is valid/]],
    ['docs/plugins.md', [/^ {2}night-owl /m, /^night-owl: agents with the label eu-night /m, /pass 4\n.*fail 0\n/]],
  ])('O1 O7 %s works as it stands', async (page, outcomes) => {
    await using home = new GiraffeHome();
    writeFileSync(join(home.path, 'bin', 'npm'), npm);
    chmodSync(join(home.path, 'bin', 'npm'), 0o755);
    const [grpc, tunnel] = [await freePort(), await freePort()];
    const env = {
      PROXY_PORT: '0',
      API_PORT: '0',
      GRPC_TUNNEL_PORT: grpc,
      TUNNEL_PORT: tunnel,
      GIRAFFE_SERVER: `localhost:${grpc}`,
      GIRAFFE_NO_INSPECT: 'true',
    };
    writeFileSync(join(home.path, 'page.sh'), `${prelude}${scriptOf(page)}`);
    const shell = home.shell('sh -x page.sh', { env });
    const { code } = await shell.ended();
    expect(code, shell.output).toBe(0);
    for (const outcome of outcomes) expect(shell.output).toMatch(outcome);
  });
});
