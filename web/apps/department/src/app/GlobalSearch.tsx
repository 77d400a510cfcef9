import { Kbd, TextInput } from '@mantine/core';
import { useMessages } from '@negatoscope/ui';
import { IconSearch } from '@tabler/icons-react';
import { useRouter, useRouterState } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { messages } from './messages';
import classes from './Shell.module.css';

/** Of the box that `/` leads to: the header's, or the list's own. */
export const SEARCH_ID = 'global-search';

export function focusSearch(): void {
  document.getElementById(SEARCH_ID)?.focus();
}

/** Leads to the list of studies with what was typed. */
export function GlobalSearch(): ReactNode {
  const say = useMessages(messages);
  const router = useRouter();
  const [text, setText] = useState('');
  const hasOwn = useRouterState({ select: ({ location }) => location.pathname === '/studies' });
  if (hasOwn) return null; // the list has a box of its own

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    const wanted = text.trim();
    void router.navigate({
      href: wanted === '' ? '/studies' : `/studies?text=${encodeURIComponent(wanted)}`,
    });
    setText('');
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: <search> is not known to every browser in use
    <form role="search" className={classes['search'] ?? ''} onSubmit={onSubmit}>
      <TextInput
        id={SEARCH_ID}
        type="search"
        autoComplete="off"
        aria-label={say('search')}
        placeholder={say('searchHint')}
        leftSection={<IconSearch size={14} aria-hidden />}
        rightSection={<Kbd size="xs">/</Kbd>}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
    </form>
  );
}
