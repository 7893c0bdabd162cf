/**
 * Reads whom a certificate is for. Pure.
 */
import type { X509Certificate } from 'node:crypto';
import { certificatePin } from '../../state/certificate-pin.ts';

/** Whom a certificate is for. */
export interface CertificateSubject {
  /** The only CN of the subject; undefined when there is none, or more than one. */
  readonly commonName: string | undefined;
  /** Subject alternative names, DNS ones in lower case. */
  readonly dnsNames: readonly string[];
  readonly emails: readonly string[];
  readonly uris: readonly string[];
  /** `sha256:` and 64 hex digits. */
  readonly fingerprint: string;
}

/** Returns whom a certificate is for. */
export function certificateSubject(certificate: X509Certificate): CertificateSubject {
  const { CN } = certificate.toLegacyObject().subject as { readonly CN?: string | readonly string[] };
  const names = alternativeNames(certificate.subjectAltName ?? '');
  const of = (kind: string): string[] => names.filter((name) => name.kind === kind).map(({ value }) => value);
  return {
    commonName: typeof CN === 'string' ? CN : undefined,
    dnsNames: of('DNS').map((name) => name.toLowerCase()),
    emails: of('email'),
    uris: of('URI'),
    fingerprint: certificatePin(certificate.raw),
  };
}

/** Takes `DNS:a.test, URI:"x, y"` apart. Node puts a value with a comma or a quote in JSON quotes. */
function alternativeNames(text: string): { readonly kind: string; readonly value: string }[] {
  const found = text.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)/g);
  return [...found].map(([, kind = '', value = '']) => ({
    kind,
    value: value.startsWith('"') ? String(JSON.parse(value)) : value,
  }));
}
