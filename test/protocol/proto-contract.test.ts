/** proto/tunnel.proto describes the frames for other implementers: it must say what the code does. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { flagAck, flagEndStream, flagInterim, frameHeaderBytes, frameType } from '../../src/protocol/frame.ts';
import { minWindowBytes } from '../../src/protocol/receive-window.ts';
import { connectMethod, loadTunnelPackage, tunnelService } from '../../src/tunnel/tunnel-service.ts';

const proto = readFileSync(new URL('../../proto/tunnel.proto', import.meta.url), 'utf8');

describe('proto/tunnel.proto', () => {
  it('lists exactly the frame types of the code', () => {
    const listed = [...proto.matchAll(/^\/\/ {3}(\d+) +([A-Z]+) +(yes|no)/gm)].map(([, type, name]) => [
      name,
      Number(type),
    ]);
    const coded = Object.entries(frameType).map(([name, type]) => [name.toUpperCase(), type]);
    expect(listed).toEqual(coded);
  });

  it('names the flags of the code', () => {
    expect(proto).toMatch(/HEAD .*flags: 1 end of stream, 2 interim/);
    expect(proto).toMatch(/DATA .*flags: 1 end of stream/);
    expect(proto).toMatch(/GOAWAY .*flags: 1 consent/);
    expect([flagEndStream, flagInterim, flagAck]).toEqual([1, 2, 1]);
  });

  it('gives the header layout and the first credit of the code', () => {
    const [, length, type, flags, id] =
      /length \((\d+) bits\) type \((\d+)\) flags \((\d+)\) stream id \((\d+)\)/.exec(proto) ?? [];
    expect((Number(length) + Number(type) + Number(flags) + Number(id)) / 8).toBe(frameHeaderBytes);
    expect(proto).toContain(`starts with ${minWindowBytes} octets`);
  });
});

describe('tunnelService()', () => {
  it('has the methods of the proto, with Connect coded by hand at the same path', () => {
    const definition = loadTunnelPackage();
    const generic = definition['tunnel.TunnelService'] as unknown as Record<string, { path: string }>;
    const service = tunnelService(definition);
    expect(Object.keys(service)).toEqual(Object.keys(generic));
    expect(service['Connect']).toBe(connectMethod);
    expect(connectMethod.path).toBe(generic['Connect']?.path);
    expect(service['HealthCheck']).toBe(generic['HealthCheck']);
  });
});
