/** The code that documentation shows: fenced blocks of Markdown, and commands in the comments of the files in deploy/. */
import { filesBelow, readText } from './repository.ts';

/** One block of code. */
export interface DocBlock {
  /** The file, by its path in the repository. */
  readonly page: string;
  /** Line of the page on which the code begins, from 1. */
  readonly line: number;
  /** What stands behind the fence; empty for a picture or a table of figures. */
  readonly language: string;
  readonly text: string;
}

/** Returns all blocks of all pages, in order. */
export function allDocBlocks(): DocBlock[] {
  const pages = filesBelow('', '.md').flatMap((page) => blocksOf(page, /^```(.*)\n([\s\S]*?)^```$/gm));
  return [...pages, ...filesBelow('deploy', '').flatMap(commentedCommands)];
}

/** Returns the commands in a file's comments: what is indented by three spaces there. */
function commentedCommands(page: string): DocBlock[] {
  return blocksOf(page, /^#()\n((?:# {3}.*\n)+)/gm).map((block) => ({
    ...block,
    language: 'sh',
    text: block.text.replaceAll(/^# {3}/gm, ''),
  }));
}

function blocksOf(page: string, pattern: RegExp): DocBlock[] {
  const source = readText(page);
  return [...source.matchAll(pattern)].map(({ index, 1: language = '', 2: text = '' }) => ({
    page,
    line: source.slice(0, index).split('\n').length + 1,
    language,
    text,
  }));
}
