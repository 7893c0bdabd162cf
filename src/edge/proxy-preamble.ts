/**
 * Takes the PROXY protocol header off a connection before anybody else reads from it.
 */
import type { Socket } from 'node:net';
import { GiraffeError } from '../errors/giraffe-error.ts';
import { maxProxyHeaderBytes, type ProxiedClient, parseProxyHeader } from './policy/proxy-protocol.ts';

/** What became of it. The socket is paused, and what follows the header is there to be read. */
export type ProxyPreamble =
  | { readonly kind: 'read'; readonly client: ProxiedClient }
  | { readonly kind: 'invalid'; readonly error: GiraffeError };

/**
 * Reads the header, and calls `onRead` once unless the connection ends before.
 * @param timeoutMs Time for the header to arrive, in milliseconds; the connection is dropped then.
 */
export function readProxyPreamble(socket: Socket, timeoutMs: number, onRead: (preamble: ProxyPreamble) => void): void {
  let held: Buffer = Buffer.alloc(0);
  const drop = (): void => void socket.destroy();
  const timer = setTimeout(drop, timeoutMs);
  const stop = (): void => {
    clearTimeout(timer);
    socket.off('data', onData).off('end', drop).off('error', drop).off('close', stop);
  };
  const finish = (preamble: ProxyPreamble, rest: Buffer): void => {
    stop();
    socket.pause();
    if (rest.length > 0) socket.unshift(rest);
    onRead(preamble);
  };
  const onData = (chunk: Buffer): void => {
    // At most one read more than the largest header.
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const header = parseProxyHeader(held);
    if (header.kind === 'whole') return finish({ kind: 'read', client: header.client }, held.subarray(header.bytes));
    if (header.kind === 'incomplete' && held.length <= maxProxyHeaderBytes) return;
    const rule = header.kind === 'invalid' ? header.rule : 'a PROXY protocol header without an end';
    finish({ kind: 'invalid', error: new GiraffeError('GIR_ERR_REQUEST_INVALID', rule) }, held);
  };
  socket.on('data', onData).on('end', drop).on('error', drop).on('close', stop);
}
