/** The origin of a bench as a process: prints its port, and tells by messages who came and who left. */
import { startLoadOrigin } from '../../load/load-origin.ts';

const origin = await startLoadOrigin({
  onArrival: (id) => process.send?.({ arrived: id }),
  onDeparture: (departure) => process.send?.({ left: departure }),
});
process.stdout.write(`${origin.port}\n`);
