// Preloaded into Node programs that `giraffe tunnel … -- command` starts, where the system's resolver does not know that
// names below localhost are loopback (RFC 6761 section 6.3). Changes nothing else.
const dns = require('node:dns');
const { syncBuiltinESMExports } = require('node:module');

const known = (host) => (typeof host === 'string' && /\.localhost\.?$/i.test(host) ? 'localhost' : host);

const { lookup } = dns;
dns.lookup = (host, ...rest) => lookup(known(host), ...rest);
const { lookup: lookupPromise } = dns.promises;
dns.promises.lookup = (host, ...rest) => lookupPromise(known(host), ...rest);
syncBuiltinESMExports();
