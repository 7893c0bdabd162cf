import { startAgent } from '/work/main/src/agent/agent.ts';
import { parseTarget } from '/work/main/src/agent/target.ts';
import { silentLogger } from '/work/main/src/telemetry/logger.ts';
import { FakeEdge } from '/work/main/test/agent/fake-edge.ts';
import { testCertificate } from '/work/main/test/support/test-certificate.ts';

const edge = await FakeEdge.start();
const { caPem } = await testCertificate();
let ready = 0;
let wake = () => {};
const agent = startAgent(
  {
    tunnels: [{ domain: 'app.test', target: parseTarget('3000') }],
    server: { host: '127.0.0.1', grpcPort: edge.ports.grpc, tunnelPort: edge.ports.tunnel },
    token: 't',
    trust: { kind: 'ca', pem: caPem },
    transport: 'auto',
    hostHeader: 'preserve',
    logger: silentLogger,
    backoff: { firstMs: 5, maxMs: 10 },
  },
  (e) => {
    if (e.type === 'ready') {
      ready++;
      wake();
    }
  },
);
const count = () => {
  const c: Record<string, number> = {};
  for (const r of process.getActiveResourcesInfo()) c[r] = (c[r] ?? 0) + 1;
  return JSON.stringify(c);
};
await agent.ready;
for (let n = 1; n <= 601; n++) {
  while (ready < n)
    await new Promise<void>((r) => {
      wake = r;
    });
  if (n % 100 === 1) {
    (globalThis as any).gc?.();
    console.log(n, count(), Math.round(process.memoryUsage().heapUsed / 1e5) / 10);
  }
  edge.carriers.length = 0;
  edge.cut();
}
const t = Date.now();
await agent.drain(1000);
await edge[Symbol.asyncDispose]();
console.log('drained', Date.now() - t, count());
process.on('exit', () => console.log('exit after', Date.now() - t));
