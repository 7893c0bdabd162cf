/** Writes the address of an edge as people type it. */

/** Returns `host:port`, with brackets around an IPv6 address. Pure. */
export function serverText({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
