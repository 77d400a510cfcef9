import { type MantineColorScheme, useMantineColorScheme } from '@mantine/core';
import { call, Problem } from '@negatoscope/api-client';
import { isLanguage, type Language, useLanguage } from '@negatoscope/ui';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useSession } from './session';

interface Appearance {
  readonly language: Language | null;
  readonly theme: MantineColorScheme | null;
}

const KEY = 'appearance';

/** What an account keeps; nothing that somebody else may have written there is trusted. */
function read(value: unknown): Appearance {
  const kept = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const theme = kept['theme'];
  return {
    language: isLanguage(kept['language']) ? kept['language'] : null,
    theme: theme === 'light' || theme === 'dark' || theme === 'auto' ? theme : null,
  };
}

/** Language and theme go with the account from one computer to the next. */
export function useKeptAppearance(): void {
  const { user } = useSession();
  const { language, setLanguage } = useLanguage();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const isAccount = user.kind === 'user';
  const { data } = useQuery({
    queryKey: ['me', 'preferences', KEY, user.name],
    enabled: isAccount,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }): Promise<Appearance> => {
      try {
        return read(await call('GET /api/v1/me/preferences/{key}', { path: { key: KEY }, signal }));
      } catch (error) {
        if (error instanceof Problem && error.status === 404) return read(null);
        throw error;
      }
    },
  });
  /** What the account holds, and whether the page has taken it over; null before it was read. */
  const held = useRef<{ language: Language; theme: MantineColorScheme; isShown: boolean } | null>(null);

  useEffect(() => {
    if (data === undefined) return;
    if (held.current === null) {
      const wanted = { language: data.language ?? language, theme: data.theme ?? colorScheme };
      held.current = { ...wanted, isShown: false };
      setLanguage(wanted.language);
      setColorScheme(wanted.theme);
    }
    const isSame = held.current.language === language && held.current.theme === colorScheme;
    if (!held.current.isShown) {
      held.current.isShown = isSame;
      return;
    }
    if (isSame) return;
    held.current = { language, theme: colorScheme, isShown: true };
    const body = { language, theme: colorScheme };
    // This browser keeps it in any case: what the account could not keep is no reason to disturb.
    call('PUT /api/v1/me/preferences/{key}', { path: { key: KEY }, body }).catch(() => undefined);
  }, [data, language, colorScheme, setLanguage, setColorScheme]);
}
