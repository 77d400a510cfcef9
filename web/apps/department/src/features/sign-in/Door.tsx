import { Box, Group, Paper, Text, Title } from '@mantine/core';
import { useLanguage } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { LANGUAGE_NAMES } from '../../app/languages';
import classes from './Door.module.css';

/** What stands around pages that are open to everybody. */
export function Door(props: { readonly title: string; readonly children: ReactNode }): ReactNode {
  const { language, setLanguage } = useLanguage();
  const other = language === 'en' ? 'fr' : 'en';
  return (
    <Box className={classes['door'] ?? ''}>
      <main className={classes['middle'] ?? ''}>
        <Group gap={10} justify="center" mb="md">
          <img src="/icon.svg" alt="" width={32} height={32} />
          <Text fw={600} size="xl">
            Negatoscope
          </Text>
        </Group>
        <Paper withBorder p="lg" className={classes['paper'] ?? ''}>
          <Title order={1} mb="sm">
            {props.title}
          </Title>
          {props.children}
        </Paper>
        <Group justify="center" mt="md">
          <button
            type="button"
            className={classes['language'] ?? ''}
            lang={other}
            onClick={() => setLanguage(other)}
          >
            {LANGUAGE_NAMES[other]}
          </button>
        </Group>
      </main>
    </Box>
  );
}
