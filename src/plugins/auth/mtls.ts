/**
 * Agents with a TLS client certificate of a configured CA (`giraffe tunnel --client-cert`).
 *
 * TLS has verified the chain and the dates before anything comes here; what is left is whether it leads to this
 * provider's CA, and which rule the subject fits. A session ends with its certificate.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as z from 'zod';
import { type AuthDecision, type AuthProvider, defineExtension, extensionApiVersion } from '../../extension/index.ts';
import { certificateBlocks } from '../../state/certificate-files.ts';
import { certificatePin } from '../../state/certificate-pin.ts';
import { type CertificateSubject, certificateSubject } from './certificate-subject.ts';
import { endpointTemplate, grantedEndpoints } from './endpoint-grant.ts';

const rule = z
  .strictObject({
    commonName: z.string().min(1).optional().describe('CN of the subject.'),
    dnsName: z.string().min(1).optional().describe('A DNS name among the subject alternative names.'),
    email: z.string().min(1).optional().describe('An e-mail address among the subject alternative names.'),
    uri: z.string().min(1).optional().describe('A URI among the subject alternative names, such as a SPIFFE id.'),
    fingerprint: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/, 'is not sha256: and 64 hex digits')
      .optional()
      .describe('SHA-256 of the certificate.'),
    endpoints: z
      .array(endpointTemplate)
      .min(1)
      .describe('Endpoints that it may serve; {commonName} and {dnsName} stand for its name if that is one label.'),
  })
  .describe('Certificates with all of these, and what they may serve. Without any, every certificate of the CA.');

const optionsSchema = z.strictObject({
  caFile: z
    .string()
    .min(1)
    .describe(
      'PEM file with the CA certificates that sign the certificates of agents; relative to the configuration file.',
    ),
  agents: z.array(rule).min(1).describe('Rules; a certificate may serve what every rule that fits it allows.'),
});

/** Options of the provider, defaults filled in. */
export type MtlsOptions = z.output<typeof optionsSchema>;
type Rule = MtlsOptions['agents'][number];

/**
 * Returns the provider.
 * @param configDir Folder that `caFile` is relative to.
 * @throws When the file cannot be read or holds no certificate.
 */
export async function createMtlsProvider({ caFile, agents }: MtlsOptions, configDir: string): Promise<AuthProvider> {
  const path = resolve(configDir, caFile);
  const clientCa = await readFile(path, 'utf8');
  const roots = new Set(certificatesIn(clientCa, path).map(({ raw }) => certificatePin(raw)));
  return {
    clientCa,
    authenticateAgent: async ({ certificate }): Promise<AuthDecision> => {
      const [leaf, ...issuers] = certificate ?? [];
      if (leaf === undefined || !issuers.some((issuer) => roots.has(certificatePin(issuer))))
        return { kind: 'unknown' };
      return decide(new X509Certificate(leaf), agents);
    },
  };
}

function decide(certificate: X509Certificate, agents: readonly Rule[]): AuthDecision {
  const subject = certificateSubject(certificate);
  const names: Readonly<Record<string, string | undefined>> = {
    commonName: subject.commonName,
    dnsName: subject.dnsNames[0],
  };
  const endpoints = agents
    .filter((agent) => fits(agent, subject))
    .flatMap((agent) => grantedEndpoints(agent.endpoints, (name) => names[name]));
  if (endpoints.length === 0) return { kind: 'deny', reason: `no rule for the certificate ${subject.fingerprint}` };
  return { kind: 'allow', principal: subject.fingerprint, endpoints, expiresAt: new Date(certificate.validTo) };
}

function fits(agent: Rule, subject: CertificateSubject): boolean {
  const { commonName, dnsName, email, uri, fingerprint } = agent;
  return (
    (commonName === undefined || commonName === subject.commonName) &&
    (dnsName === undefined || subject.dnsNames.includes(dnsName.toLowerCase())) &&
    (email === undefined || subject.emails.includes(email)) &&
    (uri === undefined || subject.uris.includes(uri)) &&
    (fingerprint === undefined || fingerprint === subject.fingerprint)
  );
}

function certificatesIn(pem: string, path: string): X509Certificate[] {
  try {
    const found = certificateBlocks(pem).map((block) => new X509Certificate(block));
    if (found.length > 0) return found;
  } catch {
    // Told below, without quoting the file.
  }
  throw new Error(`${path} holds no PEM certificate`);
}

/** The provider as an extension. */
export const mtls = defineExtension({
  apiVersion: extensionApiVersion,
  kind: 'auth-provider',
  name: 'mtls',
  summary: 'Agents with a TLS client certificate of your own CA.',
  options: optionsSchema,
  create: (options, { configDir }) => createMtlsProvider(options, configDir),
});
