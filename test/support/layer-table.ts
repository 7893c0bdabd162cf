/** Reads the layer table of docs/ARCHITECTURE.md, and the imports that src really has. */
import { filesBelow, readText } from './repository.ts';

/** What each folder of src may import, besides itself. */
export type LayerTable = ReadonlyMap<string, readonly string[]>;

/** One import of a file of src from another folder of src. */
export interface CrossImport {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Returns the table `| layer | folders | may import |`; folders stand in backticks. */
export function readLayerTable(markdown: string): LayerTable {
  const rows = markdown.matchAll(/^\| (?:\d+|side) \| (`[^|]+) \| ([^|]+) \|$/gm);
  const entries = [...rows].flatMap(([, folders = '', may = '']) =>
    named(folders).map((folder): [string, string[]] => [folder, named(may)]),
  );
  return new Map(entries);
}

/** Returns every import that crosses from one folder of src to another. */
export function crossImports(): CrossImport[] {
  return filesBelow('src', '.ts').flatMap((file) => {
    const from = folderOf(file);
    const specifiers = readText(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g);
    return [...specifiers]
      .map(([, specifier = '']) => folderOf(new URL(specifier, `file:///${file}`).pathname.slice(1)))
      .filter((to) => to !== from)
      .map((to) => ({ file, from, to }));
  });
}

function named(text: string): string[] {
  return [...text.matchAll(/`([a-z]+)`/g)].map(([, name = '']) => name);
}

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}
