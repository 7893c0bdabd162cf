/** The built-in extensions, offered through the same hook as everybody else's. */
import { hybrid } from './routing/hybrid.ts';

const extensions = async () => [hybrid];

export default extensions;
