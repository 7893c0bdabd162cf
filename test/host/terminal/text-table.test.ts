import { describe, expect, it } from 'vitest';
import { tableOrBlocks } from '../../../src/host/terminal/text-table.ts';

const rows = [
  ['NAME', 'URL', 'TARGET', 'MODE'],
  ['-', 'http://app.example.com:8081', 'http://localhost:3000', 'hybrid'],
  ['web', 'http://web.example.com', 'unix:/run/my app.sock', 'tcp'],
];

describe('tableOrBlocks()', () => {
  it('is a table where that fits', () => {
    const lines = tableOrBlocks(rows, { width: 64, title: 1 });
    expect(lines).toEqual([
      'NAME  URL                          TARGET                 MODE',
      '-     http://app.example.com:8081  http://localhost:3000  hybrid',
      'web   http://web.example.com       unix:/run/my app.sock  tcp',
    ]);
  });

  it('is a block for each row where it does not, and breaks between facts alone', () => {
    expect(tableOrBlocks(rows, { width: 63, title: 1 })).toEqual([
      'http://app.example.com:8081',
      '  target http://localhost:3000, mode hybrid',
      'http://web.example.com',
      '  name web, target unix:/run/my app.sock, mode tcp',
    ]);
    expect(tableOrBlocks(rows, { width: 40, title: 1 }).slice(3)).toEqual([
      'http://web.example.com',
      '  name web,',
      '  target unix:/run/my app.sock, mode tcp',
    ]);
  });

  it('security, log injection: shows nothing from elsewhere as it is', () => {
    const hostile = [...rows, ['a\u001b[31m', 'b\u001b[31m', 'c\0d', '']];
    for (const width of [20, 200]) {
      expect(tableOrBlocks(hostile, { width, title: 1 }).join('')).not.toMatch(/[^\P{Cc}]/u);
    }
  });
});
