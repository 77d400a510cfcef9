import { useMantineColorScheme } from '@mantine/core';
import { type Action, useActions, useLanguage } from '@negatoscope/ui';
import { useRouter } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useSignOut } from '../features/session/session';
import { focusSearch } from './GlobalSearch';
import { useNavEntries } from './useNavEntries';

const GO = { en: 'Go to', fr: 'Aller à' };

/** What can be done on every ordinary page. */
export function useShellActions(): void {
  const router = useRouter();
  const entries = useNavEntries();
  const { language, setLanguage } = useLanguage();
  const { setColorScheme } = useMantineColorScheme();
  const signOut = useSignOut();
  const actions = useMemo<readonly Action[]>(
    () => [
      ...entries.map(({ to, nav }) => ({
        id: `go ${to}`,
        label: nav.label,
        group: GO,
        ...(nav.shortcut === undefined ? {} : { shortcut: nav.shortcut }),
        perform: () => void router.navigate({ to }),
      })),
      {
        id: 'search',
        label: { en: 'Find a patient or a study', fr: 'Trouver un patient ou un examen' },
        shortcut: '/',
        perform: focusSearch,
      },
      {
        id: 'language',
        label: { en: 'Passer en français', fr: 'Switch to English' },
        keywords: 'language langue english français',
        perform: () => setLanguage(language === 'en' ? 'fr' : 'en'),
      },
      {
        id: 'theme.light',
        label: { en: 'Light appearance', fr: 'Apparence claire' },
        keywords: 'theme thème',
        perform: () => setColorScheme('light'),
      },
      {
        id: 'theme.dark',
        label: { en: 'Dark appearance, for reading', fr: 'Apparence sombre, pour la lecture' },
        keywords: 'theme thème',
        perform: () => setColorScheme('dark'),
      },
      {
        id: 'account',
        label: { en: 'My account', fr: 'Mon compte' },
        group: GO,
        shortcut: 'g m',
        perform: () => void router.navigate({ to: '/account' }),
      },
      {
        id: 'sign-out',
        label: { en: 'Sign out', fr: 'Se déconnecter' },
        perform: () => void signOut(),
      },
    ],
    [router, entries, language, setLanguage, setColorScheme, signOut],
  );
  useActions(actions);
}
