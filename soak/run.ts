/**
 * `npm run soak`: real processes under verified work, while some of them are killed, frozen and restarted. Exit status 0 only
 * if every failure had its reason and nothing was left behind. See README.md in this folder.
 */
import { toldToEnd } from '../scripts/started-processes.ts';
import { Ledger } from './ledger.ts';
import { tell, workTable } from './report.ts';
import { readSettings, repeatCommand, type SoakSettings } from './settings.ts';
import { soak } from './soak.ts';

// What is started ends when this process exits, but not when a signal just stops it.
void toldToEnd().then((status) => process.exit(status));
const settings = settingsOrExit();
const ledger = new Ledger((text) => tell(`PROBLEM ${text}`));
console.log(`seed ${settings.seed}; again with: ${repeatCommand(settings)}`);
for (const front of settings.fronts) {
  const seconds = settings.seconds / settings.fronts.length;
  await soak(front, settings, seconds, ledger).catch((error: Error) => ledger.problem(`${front} ends: ${error.stack}`));
}
console.log(workTable(ledger));
const { length } = ledger.problems;
console.log(length === 0 ? '\nall held' : `\n${length} problems; again with: ${repeatCommand(settings)}`);
process.exit(length === 0 ? 0 : 1);

function settingsOrExit(): SoakSettings {
  try {
    return readSettings(process.env);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}
