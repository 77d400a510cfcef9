import { ActionIcon, Tooltip } from '@mantine/core';
import { useLocalStorage, useMediaQuery } from '@mantine/hooks';
import { useMessages, useTranslated } from '@negatoscope/ui';
import { IconLayoutSidebarLeftCollapse, IconLayoutSidebarLeftExpand } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { messages } from './messages';
import classes from './Shell.module.css';
import { useNavEntries } from './useNavEntries';

const GROUPS = [
  ['work', 'groupWork'],
  ['administration', 'groupAdministration'],
] as const;

/** The menu: what this account has functions for. Icons alone where there is little room. */
export function Navigation(): ReactNode {
  const say = useMessages(messages);
  const translate = useTranslated();
  const entries = useNavEntries();
  const hasRoom = useMediaQuery('(min-width: 1100px)', true);
  const [isNarrowed, setNarrowed] = useLocalStorage({ key: 'negatoscope-narrow-menu', defaultValue: false });
  const isNarrow = isNarrowed || !hasRoom;
  return (
    <nav aria-label={say('menu')} className={classes['nav'] ?? ''} data-narrow={isNarrow || undefined}>
      {GROUPS.map(([group, title]) => {
        const members = entries.filter((entry) => entry.nav.group === group);
        if (members.length === 0) return null;
        return (
          <div key={group}>
            {isNarrow ? null : <div className={classes['group'] ?? ''}>{say(title)}</div>}
            {members.map(({ to, nav }) => {
              const Icon = nav.icon;
              const label = translate(nav.label);
              return (
                <Tooltip key={to} label={label} position="right" disabled={!isNarrow}>
                  <Link to={to} className={classes['link'] ?? ''} aria-label={isNarrow ? label : undefined}>
                    <Icon size={18} stroke={1.6} />
                    {isNarrow ? null : label}
                  </Link>
                </Tooltip>
              );
            })}
          </div>
        );
      })}
      {hasRoom ? (
        <div className={classes['bottom'] ?? ''}>
          <Tooltip label={say(isNarrow ? 'expand' : 'collapse')} position="right">
            <ActionIcon
              aria-label={say(isNarrow ? 'expand' : 'collapse')}
              onClick={() => setNarrowed(!isNarrowed)}
            >
              {isNarrow ? (
                <IconLayoutSidebarLeftExpand size={18} stroke={1.6} />
              ) : (
                <IconLayoutSidebarLeftCollapse size={18} stroke={1.6} />
              )}
            </ActionIcon>
          </Tooltip>
        </div>
      ) : null}
    </nav>
  );
}
