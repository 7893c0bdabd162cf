/** Looks at a token before the edge does: is there one, does it have the right form, and does an edge here know it. */
import { findTokenRecord } from '../state/local-files.ts';
import { isSecret } from '../state/token-format.ts';
import { type Finding, failed, ok, warning } from './check.ts';
import type { TokenSubject } from './subject.ts';

/** Judges a token. No finding holds any of it. */
export async function checkToken(token: TokenSubject, now: number): Promise<Finding> {
  const { value, source } = token;
  if (value === undefined) return failed(source, undefined, 'GIR_ERR_CREDENTIALS_REFUSED');
  if (value === '') return ok('none: the certificate of --client-cert stands for it');
  if (value.startsWith('gra_')) {
    return failed(`${source}: it is the admin token of the API, not one of an agent`);
  }
  if (value.startsWith('grf_')) return checkOwnToken(token, value, now);
  return value.startsWith('eyJ') ? checkJwt(value, source, now) : ok(`${source}; of another kind than grf_…`);
}

async function checkOwnToken(token: TokenSubject, value: string, now: number): Promise<Finding> {
  const { source, stateDir, isLeftByEdge } = token;
  if (!isSecret('grf', value)) {
    return failed(
      `${source}: it is not whole; behind grf_ come 43 letters, digits, - or _`,
      'Copy the token again, whole.',
    );
  }
  if (stateDir === undefined) return ok(`${source}; the form is right`);
  const record = await findTokenRecord(stateDir, value);
  if (record === undefined) {
    const saw = `${source}: ${stateDir} does not know it, or it was revoked`;
    // The edge may be one with another state folder: it has the word.
    return isLeftByEdge ? failed(saw, undefined, 'GIR_ERR_CREDENTIALS_REFUSED') : warning(saw);
  }
  const { name, endpoints, expiresAt } = record;
  if (expiresAt !== undefined && Date.parse(expiresAt) <= now) {
    return failed(`${source}: it expired on ${expiresAt}`, undefined, 'GIR_ERR_CREDENTIALS_REFUSED');
  }
  const until = expiresAt === undefined ? '' : `, until ${expiresAt.slice(0, 10)}`;
  return ok(`${source}; the edge calls it ${name}, for ${endpoints.join(', ')}${until}`);
}

/** Reads nothing but when it ends: whether it is genuine is for the edge. */
function checkJwt(value: string, source: string, now: number): Finding {
  const [, payload = ''] = value.split('.');
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { readonly exp?: unknown };
    if (typeof exp !== 'number' || exp * 1000 > now) return ok(`${source}; a JSON Web Token`);
    return failed(
      `${source}: the JSON Web Token expired on ${new Date(exp * 1000).toISOString()}`,
      'Get a new token from whoever issued this one.',
      'GIR_ERR_CREDENTIALS_REFUSED',
    );
  } catch {
    return failed(`${source}: it begins like a JSON Web Token and cannot be read`, 'Copy the token again, whole.');
  }
}
