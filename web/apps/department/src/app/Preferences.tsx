import { MantineProvider } from '@mantine/core';
import { chooseLanguage, type Language, LanguageProvider, theme, variables } from '@negatoscope/ui';
import { type ReactNode, useCallback, useState } from 'react';

/** Read by the server too: for its own pages and for OHIF. */
const COOKIE = 'negatoscope_language';

function remembered(): string | undefined {
  const prefix = `${COOKIE}=`;
  return document.cookie
    .split('; ')
    .find((one) => one.startsWith(prefix))
    ?.slice(prefix.length);
}

/** Language and theme around everything. */
export function Preferences(props: { readonly children: ReactNode }): ReactNode {
  const [language, setLanguage] = useState(() => chooseLanguage(remembered(), navigator.languages));
  const change = useCallback((next: Language) => {
    // biome-ignore lint/suspicious/noDocumentCookie: cookieStore is absent over plain HTTP
    document.cookie = `${COOKIE}=${next}; Path=/; SameSite=Lax; Max-Age=31536000`;
    setLanguage(next);
  }, []);
  return (
    <LanguageProvider language={language} onChange={change}>
      <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="light">
        {props.children}
      </MantineProvider>
    </LanguageProvider>
  );
}
