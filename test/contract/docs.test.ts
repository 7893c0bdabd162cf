import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { doctorDocs } from '../../scripts/generate-doctor-docs.ts';
import { errorDocs } from '../../scripts/generate-error-docs.ts';
import { codes } from '../../src/errors/codes.ts';
import { filesBelow, readText, root } from '../support/repository.ts';

const pages = filesBelow('', '.md');

describe('documentation', () => {
  it('lists exactly the error codes of the table (npm run docs:generate)', () => {
    expect(readText('docs/reference/errors.md')).toBe(errorDocs());
  });

  it('lists exactly the checks of the doctor (npm run docs:generate)', () => {
    expect(readText('docs/reference/doctor.md')).toBe(doctorDocs());
  });

  it('has each error code of the files below src/errors/codes/ in the table, once', () => {
    const entries = filesBelow('src/errors/codes', '.ts').flatMap((file) => {
      return [...readText(file).matchAll(/^ {2}(\w+): entry\(/gm)].map(([, code]) => code);
    });
    expect(entries.sort()).toEqual(Object.keys(codes).sort());
  });

  it('names no error code that does not exist', () => {
    const named = pages.flatMap((page) => readText(page).match(/GIR_ERR_[A-Z_]+[A-Z]/g) ?? []);
    expect(named.filter((code) => !Object.hasOwn(codes, code))).toEqual([]);
  });

  it('has only relative links that lead somewhere', () => {
    const broken = pages.flatMap((page) => {
      const links = readText(page).matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)[^)]*\)/g);
      return [...links]
        .map(([, link = '']) => link)
        .filter((link) => !existsSync(join(root, dirname(page), link)))
        .map((link) => `${page}: ${link}`);
    });
    expect(broken).toEqual([]);
  });

  it('has a way from docs/README.md to each of its pages', () => {
    const overview = readText('docs/README.md');
    const pages = filesBelow('docs', '.md').filter(
      (page) => !page.startsWith('docs/adr/') && page !== 'docs/README.md',
    );
    expect(pages.filter((page) => !overview.includes(`](${page.replace('docs/', '')})`))).toEqual([]);
  });

  it('names in docs/ARCHITECTURE.md only files that exist', () => {
    const text = readText('docs/ARCHITECTURE.md');
    const named = [...text.matchAll(/`((?:src|test|proto|bin|scripts|docs|bench)\/[\w./-]+)`/g)].map(
      ([, path = '']) => path,
    );
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
