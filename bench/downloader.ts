/** A client in a process of its own, so that it takes no time of the load generator's: `PORT HOST` downloads until it is killed. */
import { download } from './load.ts';

const [port, host = ''] = process.argv.slice(2);
console.log('begins');
for (;;) await download({ port: Number(port), host }, 1024 ** 3);
