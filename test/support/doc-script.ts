/**
 * One bash script of everything that a page tells to do, in its order.
 *
 * The commands are run as they stand, except for what {@link substitutions} and {@link left} list. A configuration file is
 * written and checked; the commands after it find it. What would run until Ctrl-C goes on beside what follows, once it
 * serves, and ends when the page starts another of its kind.
 */
import type { DocBlock } from './doc-blocks.ts';
import { root } from './repository.ts';

/** What the test has in place of what readers have: ports, names, files, and times. */
const substitutions: readonly (readonly [RegExp, string])[] = [
  [/(tunnel|doctor) 3000\b/g, '$1 $SERVICE_PORT'],
  [/--server tunnels\.example\.com(?::\d+)?/g, '--server localhost:$GRPC_TUNNEL_PORT'],
  [/GIRAFFE_TOKEN=grf_…/g, 'GIRAFFE_TOKEN=$(cat "$HOME/.local/state/giraffe/agent-token")'],
  [/--ca sha256:…/g, '--ca $(grep --only-matching "sha256:[0-9a-f]*" "$HOME/edge.log" | head -1)'],
  [/\/etc\/ssl\/tunnels\.example\.com\//g, '$HOME/'],
  [/--proxy-port 443\b/g, '--proxy-port 0'],
  [/--grpc-plaintext 4445\b/g, '--grpc-plaintext 0'],
  // A bench of somebody's site: of our service, and without a bet on how busy this machine is.
  [/bench https:\/\/app\.example\.com\//g, 'bench http://127.0.0.1:$SERVICE_PORT/'],
  [/p99<50ms/g, 'p99<10s'],
  [/--duration 1m/g, ''],
];

/** Commands that are not run, and why. */
const left: readonly { readonly why: string; readonly lines: readonly string[] }[] = [
  {
    why: 'The suite that this test belongs to, or more than it.',
    lines: ['npm ci && npm test', 'npm run check', 'npm run test:unit'],
  },
  {
    why: 'Takes minutes.',
    lines: [
      'npm run bench',
      'BENCH_ROUNDS=3 BENCH_SECONDS=2 npm run bench',
      'npm run soak',
      'SOAK_SECONDS=1200 SOAK_SEED=7 npm run soak',
      'SOAK_FRONT=https SOAK_ONLY=agent-killed SOAK_ROUNDS=20 npm run soak',
    ],
  },
  {
    why: 'Needs a container engine.',
    lines: [
      'docker build --file deploy/docker/Dockerfile --tag giraffe .',
      'docker run --network host --env GIRAFFE_TOKEN giraffe tunnel 3000 --server tunnels.example.com --ca sha256:…',
      'docker compose up --detach',
      'docker compose logs edge',
      'docker compose exec edge giraffe token create --name laptop',
    ],
  },
  {
    why: 'Needs systemd as process 1, and root.',
    lines: [
      'npm install --global giraffe-tunnel',
      'systemctl enable --now giraffe-edge',
      'journalctl --unit giraffe-edge',
      'systemctl enable --now giraffe-agent@home',
    ],
  },
];

/** Lines of {@link left}. */
export const leftLines: ReadonlySet<string> = new Set(left.flatMap(({ lines }) => lines));

/** npm, which would need the network: it installs what the repository has. */
export const npmStandIn = `#!/bin/sh
case "$1 $2" in
  'ci ') ;;
  'test ') exec curl -fsS --connect-to ::127.0.0.1: "$GIRAFFE_URL" ;;
  'run demo') cd '${root}' && exec env -i HOME="$HOME" PATH="\${PATH#*:}" npm run demo --ignore-scripts -- --once ;;
  'install '*)
    for name; do case $name in install | -*) ;; *)
      source='${root}node_modules/'$name
      [ "$name" = giraffe-tunnel ] && source='${root}'
      mkdir -p node_modules && ln -sfn "$source" "node_modules/$name" ;;
    esac; done ;;
  *) echo "the stand-in of npm knows no: npm $*" >&2; exit 1 ;;
esac
`;

const prelude = `set -euo pipefail
declare -A pids=()

# serve NAME READY ARGUMENT…: starts giraffe, ends the former one of that name, and waits for the text.
serve() {
  local name=$1 ready=$2; shift 2
  if [[ -n \${pids[$name]:-} ]]; then kill "\${pids[$name]}"; wait "\${pids[$name]}" || true; fi
  : > "$HOME/$name.log"
  (exec giraffe "$@" >> "$HOME/$name.log" 2>&1) &
  pids[$name]=$!
  until grep -q "$ready" "$HOME/$name.log"; do
    kill -0 "\${pids[$name]}" || { cat "$HOME/$name.log"; exit 1; }
    sleep 0.05
  done
}

giraffe() {
  case " $* " in
    *' -- '* | ' tunnel list '* | ' tunnel stop '*) command giraffe "$@" ;;
    ' server start '*) serve edge 'The edge is ready' "$@" ;;
    ' tunnel '*) serve agent 'HYBRID MODE ACTIVE\\|"mode":"hybrid"' "$@" ;;
    ' stats --watch '*) serve stats 'requests' "$@" ;;
    ' bench '*) command giraffe "$@" --duration 300ms --warmup 0s ;;
    *) command giraffe "$@" ;;
  esac
}
npx() { "$@"; }
trap 'kill "\${pids[@]}" && wait || true' EXIT
set -v
`;

/** Returns the script; undefined when the page has nothing to run. */
export function docScript(blocks: readonly DocBlock[]): string | undefined {
  const parts = blocks.map((block) => (block.language === 'yaml' ? configured(block) : told(block)));
  return parts.some((part) => part.trim() !== '') ? `${prelude}${parts.join('')}` : undefined;
}

function configured({ text }: DocBlock): string {
  return `cat > "$HOME/giraffe.config.yaml" <<'YAML'\n${text}YAML\n(cd "$HOME" && giraffe config validate)\n`;
}

function told({ language, text }: DocBlock): string {
  if (language !== 'sh') return '';
  const run = text
    .split('\n')
    .filter((line) => !leftLines.has(commandOf(line)))
    .join('\n');
  return substitutions.reduce((script, [from, to]) => script.replaceAll(from, to), run);
}

/** Returns a line without the comment at its end. */
export function commandOf(line: string): string {
  return line.replace(/\s+# .*$/, '').trim();
}
