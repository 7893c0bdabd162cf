/**
 * Other tunnels for comparison, each where its programs are installed and may be started: OpenSSH's `ssh -R`, frp, chisel
 * and bore. All run on loopback, as they are by default, with nothing of theirs switched on or off to make them faster or slower.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../test/support/free-port.ts';
import { isInstalled } from '../test/support/programs.ts';
import { type Peer, startProgram, whenListening, whenServing } from './peer.ts';
import { startSshForward } from './ssh-forward.ts';

/** Where a bore server listens for its clients: fixed in the program. */
const borePort = 7835;

/** Starts all that can be started. */
export async function startPeers(folder: string, originPort: string): Promise<Peer[]> {
  const peers = [
    await startSshForward(folder, originPort),
    await startFrp(folder, originPort),
    await startChisel(originPort),
    await startBore(originPort),
  ];
  return peers.filter((peer) => peer !== undefined);
}

/** frp, in Go: HTTP by the Host field, streams in one TLS connection. */
async function startFrp(folder: string, originPort: string): Promise<Peer | undefined> {
  if (!isInstalled('frps') || !isInstalled('frpc')) return undefined;
  const [port, publicPort] = [await freePort(), await freePort()];
  const host = 'frp.localhost';
  const [serverFile, clientFile] = [join(folder, 'frps.toml'), join(folder, 'frpc.toml')];
  writeFileSync(serverFile, `bindAddr = "127.0.0.1"\nbindPort = ${port}\nvhostHTTPPort = ${publicPort}\n`);
  const proxy = `[[proxies]]\nname = "bench"\ntype = "http"\nlocalPort = ${originPort}\ncustomDomains = ["${host}"]\n`;
  writeFileSync(clientFile, `serverAddr = "127.0.0.1"\nserverPort = ${port}\nloginFailExit = false\n${proxy}`);
  const processes = [
    startProgram('frps', 'frps', ['-c', serverFile]),
    startProgram('frpc', 'frpc', ['-c', clientFile]),
  ];
  return whenServing({ name: 'frp', target: { port: publicPort, host }, processes });
}

/** chisel, in Go: octets over SSH over a WebSocket. */
async function startChisel(originPort: string): Promise<Peer | undefined> {
  if (!isInstalled('chisel')) return undefined;
  const [port, publicPort] = [await freePort(), await freePort()];
  const forward = `R:127.0.0.1:${publicPort}:127.0.0.1:${originPort}`;
  const processes = [
    startProgram('chisel server', 'chisel', ['server', '--host', '127.0.0.1', '--port', String(port), '--reverse']),
    startProgram('chisel client', 'chisel', ['client', `http://127.0.0.1:${port}`, forward]),
  ];
  return whenServing({ name: 'chisel', target: { port: publicPort, host: 'localhost' }, processes });
}

/** bore, in Rust: octets without encryption, over a connection each. */
async function startBore(originPort: string): Promise<Peer | undefined> {
  if (!isInstalled('bore')) return undefined;
  const publicPort = await freePort();
  const server = startProgram('bore server', 'bore', ['server']);
  if (!(await whenListening(server, borePort))) return undefined;
  const local = ['local', originPort, '--local-host', '127.0.0.1', '--to', '127.0.0.1', '--port', String(publicPort)];
  const processes = [server, startProgram('bore local', 'bore', local)];
  return whenServing({ name: 'bore', target: { port: publicPort, host: 'localhost' }, processes });
}
