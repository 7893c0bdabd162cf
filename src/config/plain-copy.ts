/**
 * Makes plain data of what a configuration file holds. One that is a program may hold anything: what leads back to itself,
 * what throws when it is read, what only looks like a mapping. Each is a mistake with a place, told before anybody trips
 * over it.
 */
import { ConfigError } from './config-error.ts';
import { pathText } from './config-problems.ts';
import type { Path } from './schema-walk.ts';

/** No setting and no option stands nearly as deep. */
const maxDepth = 64;
/** Where the options of an extension begin, which are its own. */
const optionsKey = 'options';

interface Place {
  readonly path: Path;
  readonly around: readonly object[];
  readonly isOption: boolean;
}

/**
 * Returns a copy. A key without a value counts as one that is not there, except in the options of an extension, which may
 * also hold objects of any kind: those stay what they are.
 *
 * @param name What messages call the file.
 * @throws {ConfigError} GIR_ERR_CONFIG with the first thing that is no data.
 */
export function plainCopy(content: unknown, name: string): unknown {
  return copyOf(content, { path: [], around: [], isOption: false });

  function copyOf(value: unknown, place: Place): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (place.around.includes(value)) throw problem(place, 'leads back to what it stands in');
    if (place.around.length === maxDepth) throw problem(place, `is more than ${maxDepth} levels deep`);
    if (Array.isArray(value))
      return value.map((element: unknown, index) => copyOf(element, below(place, value, index)));
    if (place.isOption && !isPlain(value)) return value;
    const kind = Object.prototype.toString.call(value).slice('[object '.length, -1);
    if (kind !== 'Object')
      throw problem(place, `is a ${kind}; accepted are mappings, lists, texts, numbers, true and false`);
    const keys = read(place, () => Object.keys(value));
    const entries = keys.map((key): [string, unknown] => {
      const inner = below(place, value, key);
      return [
        key,
        copyOf(
          read(inner, () => Reflect.get(value, key) as unknown),
          inner,
        ),
      ];
    });
    return Object.fromEntries(place.isOption ? entries : entries.filter(([, inner]) => inner !== null));
  }

  function below({ path, around, isOption }: Place, value: object, key: string | number): Place {
    return { path: [...path, key], around: [...around, value], isOption: isOption || key === optionsKey };
  }

  function read<T>(place: Place, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw problem(place, `cannot be read: ${error instanceof Error ? error.message : 'it failed'}`);
    }
  }

  function problem({ path }: Place, what: string): ConfigError {
    return new ConfigError([`${name}: ${pathText(path) || 'all of it'} ${what}`]);
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
