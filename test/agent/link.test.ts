import { describe, expect, it } from 'vitest';
import { Link } from '../../src/agent/link.ts';
import { GiraffeError } from '../../src/errors/giraffe-error.ts';
import { frameType } from '../../src/protocol/frame.ts';
import { encodeHandshake } from '../../src/protocol/handshake.ts';
import { decodeOpenRequest } from '../../src/protocol/head-codec.ts';
import { CreditPool } from '../../src/protocol/receive-window.ts';
import { linkedCarriers, settle, turn } from '../support/linked-carriers.ts';
import { RecordingSink, responsePayload, TestEnd } from '../support/multiplexer-ends.ts';

const hello = {
  version: 1,
  software: 'test',
  capabilities: [],
  token: 'x',
  agentId: 'agent-12345678',
  generation: 1,
  endpoints: ['a.test'],
};
const welcome = {
  software: 'test',
  capabilities: [],
  sessionId: 's',
  endpoints: [{ host: 'a.test', url: 'http://a.test' }],
  ports: { grpc: 1, tunnel: 2 },
  keepAliveMs: 60_000,
  maxStreams: 10,
};

describe('a link that drains', () => {
  it('T5 is drained when the last answer has left for the edge, and not when it only waits for that', async () => {
    const carriers = linkedCarriers();
    const edge = new TestEnd('edge', carriers.edge);
    edge.onHandshake = () => {
      edge.multiplexer.handshake(frameType.welcome, encodeHandshake(welcome));
      edge.activate();
    };
    const body = Buffer.alloc(100_000, 'x');
    const link = new Link({
      carrier: carriers.agent,
      hello,
      creditPool: new CreditPool(),
      maxInboundStreams: 10,
      owner: {
        onWelcome: () => {},
        onOpen: (_link, stream, payload) => {
          stream.allow(decodeOpenRequest(payload).windowBytes);
          stream.sendHead(responsePayload());
          stream.sendData(body);
          stream.sendEnd();
          return new RecordingSink();
        },
        onWithdraw: () => {},
        onGoAway: () => {},
        onClose: () => {},
      },
    });
    await settle(carriers);
    const answer = edge.open();
    link.goAway(new GiraffeError('GIR_ERR_DRAINING'));
    edge.multiplexer.goAway(new GiraffeError('GIR_ERR_DRAINING'), true);
    await turn();
    carriers.edge.deliver();
    for (let turns = 0; link.streams > 0 && turns < 20; turns += 1) await turn();
    expect([link.streams, carriers.agent.queuedBytes > body.length, link.isDrained]).toEqual([0, true, false]);
    await settle(carriers);
    expect([answer.body.length, link.isDrained]).toEqual([body.length, true]);
  });
});
