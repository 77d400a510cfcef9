import {
  Badge,
  Grid,
  Group,
  SegmentedControl,
  Stack,
  Table,
  Text,
  useMantineColorScheme,
} from '@mantine/core';
import { LANGUAGES, PageHeader, Panel, type Say, useLanguage, useMessages, useNotify } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { LANGUAGE_NAMES } from '../../app/languages';
import { useSession } from '../session/session';
import { ChangePassword } from './ChangePassword';
import { messages } from './messages';
import { OwnSessions } from './OwnSessions';
import { OwnTokens } from './OwnTokens';
import { isKnownRole, roleMessages } from './roles';
import { SecondFactor } from './SecondFactor';

/** What belongs to who is signed in. */
export function AccountPage(): ReactNode {
  const say = useMessages(messages);
  const notify = useNotify();
  return (
    <>
      <PageHeader title={say('title')} />
      <Grid gap="sm">
        <Grid.Col span={{ base: 12, md: 6 }}>
          <Stack gap="sm">
            <Profile />
            <Appearance />
            <Panel title={say('secondFactor')}>
              <SecondFactor />
            </Panel>
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 6 }}>
          <Panel title={say('password')}>
            <ChangePassword onDone={() => notify.done(say('passwordChanged'))} />
          </Panel>
        </Grid.Col>
        <Grid.Col span={12}>
          <OwnSessions />
        </Grid.Col>
        <Grid.Col span={12}>
          <OwnTokens />
        </Grid.Col>
      </Grid>
    </>
  );
}

function Profile(): ReactNode {
  const say = useMessages(messages);
  const sayRole = useMessages(roleMessages);
  const { user, method } = useSession();
  return (
    <Panel title={say('profile')} isFlush>
      <Table variant="vertical" aria-label={say('profile')}>
        <Table.Tbody>
          <Table.Tr>
            <Table.Th w={160}>{say('name')}</Table.Th>
            <Table.Td>{user.name}</Table.Td>
          </Table.Tr>
          <Table.Tr>
            <Table.Th>{say('displayName')}</Table.Th>
            <Table.Td>{user.display_name}</Table.Td>
          </Table.Tr>
          <Table.Tr>
            <Table.Th>{say('roles')}</Table.Th>
            <Table.Td>
              <Group gap={4}>
                {user.roles.map((role) => (
                  <Badge key={role} variant="light" tt="none" fw={500}>
                    {isKnownRole(role) ? sayRole(role) : role}
                  </Badge>
                ))}
              </Group>
            </Table.Td>
          </Table.Tr>
          {method === null ? null : (
            <Table.Tr>
              <Table.Th>{say('method')}</Table.Th>
              <Table.Td>{methodName(method, say)}</Table.Td>
            </Table.Tr>
          )}
        </Table.Tbody>
      </Table>
    </Panel>
  );
}

function Appearance(): ReactNode {
  const say = useMessages(messages);
  const { language, setLanguage } = useLanguage();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Panel title={say('appearance')}>
      <Stack gap="sm">
        <Group gap="sm">
          <Text size="sm" w={100} id="account-language">
            {say('language')}
          </Text>
          <SegmentedControl
            size="xs"
            aria-labelledby="account-language"
            value={language}
            onChange={(value) => setLanguage(value === 'fr' ? 'fr' : 'en')}
            data={LANGUAGES.map((one) => ({
              value: one,
              label: <span lang={one}>{LANGUAGE_NAMES[one]}</span>,
            }))}
          />
        </Group>
        <Group gap="sm">
          <Text size="sm" w={100} id="account-theme">
            {say('theme')}
          </Text>
          <SegmentedControl
            size="xs"
            aria-labelledby="account-theme"
            value={colorScheme}
            onChange={(value) => setColorScheme(value === 'light' || value === 'dark' ? value : 'auto')}
            data={[
              { value: 'light', label: say('light') },
              { value: 'dark', label: say('dark') },
              { value: 'auto', label: say('auto') },
            ]}
          />
        </Group>
      </Stack>
    </Panel>
  );
}

/** How somebody signed in (`method` of a session). */
function methodName(method: string, say: Say<(typeof messages)['en']>): string {
  switch (method) {
    case 'password':
      return say('byPassword');
    case 'password and code':
      return say('byCode');
    case 'set-up link':
      return say('bySetup');
    default:
      return method.startsWith('provider ') ? say('byProvider', { name: method.slice(9) }) : method;
  }
}
