import { Anchor, Box, Group, NavLink, Text } from '@mantine/core';
import { useLanguage, useMessages, useTranslated } from '@negatoscope/ui';
import { Link, Outlet, useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useSession } from '../features/session/session';
import { messages } from './messages';

/** Header and menu around every ordinary page. */
export function Shell(): ReactNode {
  const say = useMessages(messages);
  const translate = useTranslated();
  const { language, setLanguage } = useLanguage();
  const session = useSession();
  const router = useRouter();
  const entries = Object.values(router.routesById)
    .map((route) => ({ to: route.fullPath as string, ...route.options.staticData }))
    .filter(
      (one) => one.nav !== undefined && (one.needs === undefined || session.functions.includes(one.needs)),
    )
    .sort((a, b) => (a.nav?.order ?? 0) - (b.nav?.order ?? 0));
  const other = language === 'en' ? 'fr' : 'en';
  return (
    <Box>
      <Group component="header" h="var(--n-header-height)" px="md" justify="space-between">
        <Text fw={600}>Negatoscope</Text>
        <Group>
          <Text size="sm">{session.user.display_name || session.user.name}</Text>
          <Anchor component="button" size="sm" lang={other} onClick={() => setLanguage(other)}>
            {say('otherLanguage')}
          </Anchor>
        </Group>
      </Group>
      <Group align="flex-start" gap={0} wrap="nowrap">
        <Box component="nav" aria-label={say('menu')} w="var(--n-nav-width)">
          {entries.map(({ to, nav }) =>
            nav === undefined ? null : (
              <NavLink
                key={to}
                renderRoot={(props) => <Link {...props} to={to} />}
                label={translate(nav.label)}
              />
            ),
          )}
        </Box>
        <Box component="main" flex={1} miw={0} p="md">
          <Outlet />
        </Box>
      </Group>
    </Box>
  );
}
