/** Writes the URL by which clients reach a host. Pure. */

/** Returns `scheme://host`, with the port where it is not the scheme's own. */
export function publicUrl(
  host: string,
  { scheme, port }: { readonly scheme: 'http' | 'https'; readonly port: number },
): string {
  return port === (scheme === 'https' ? 443 : 80) ? `${scheme}://${host}` : `${scheme}://${host}:${port}`;
}
