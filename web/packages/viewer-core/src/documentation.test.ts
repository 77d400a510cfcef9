import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ACTIONS, GROUPS } from './actions';
import { messagesFor, say } from './messages';
import { sayShortcut } from './shortcuts';

const PAGE = fileURLToPath(new URL('../../../../docs/users/viewer.md', import.meta.url));
const TABLE = /(<!-- keyboard: [^\n]*-->\n)[\s\S]*(<!-- \/keyboard -->)/;

function table(): string {
  const words = messagesFor('en');
  const rows = GROUPS.flatMap((group) => {
    const actions = ACTIONS.filter((one) => one.group === group);
    return actions.map((one, i) => {
      const keys = one.keys.map((key) => `\`${sayShortcut(key, 'en')}\``).join(', ');
      const who = one.level === 'full' ? 'readers' : 'all';
      return `| ${i === 0 ? say(words, `group.${group}`) : ''} | ${say(words, one.label)} | ${keys} | ${who} |`;
    });
  });
  return ['| | | Keys | For |', '|---|---|---|---|', ...rows, ''].join('\n');
}

it('the user page has every shortcut of the registry', () => {
  const page = readFileSync(PAGE, 'utf8');
  const wanted = page.replace(TABLE, (_whole, head: string, foot: string) => `${head}${table()}${foot}`);
  if (process.env['UPDATE_DOCS']) writeFileSync(PAGE, wanted);
  else expect(page).toBe(wanted);
});
