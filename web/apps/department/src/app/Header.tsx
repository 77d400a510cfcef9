import { ActionIcon, Menu, Text, Tooltip, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { LANGUAGES, useLanguage, useMessages, usePerform } from '@negatoscope/ui';
import {
  IconCheck,
  IconChevronDown,
  IconCommand,
  IconLogout,
  IconMoon,
  IconSun,
  IconSunMoon,
  IconUserCircle,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useSession, useSignOut } from '../features/session/session';
import { GlobalSearch } from './GlobalSearch';
import { LANGUAGE_NAMES } from './languages';
import { messages } from './messages';
import classes from './Shell.module.css';

const SCHEMES = [
  ['light', 'light', IconSun],
  ['dark', 'dark', IconMoon],
  ['auto', 'auto', IconSunMoon],
] as const;

/** Brand, search, commands, and the menu of who is signed in. */
export function Header(): ReactNode {
  const say = useMessages(messages);
  const perform = usePerform();
  return (
    <header className={classes['header'] ?? ''}>
      <Link to="/" className={classes['brand'] ?? ''}>
        <img src="/icon.svg" alt="" width={24} height={24} />
        <span>Negatoscope</span>
      </Link>
      <GlobalSearch />
      <div className={classes['spacer'] ?? ''} />
      <Tooltip label={say('commands')}>
        <ActionIcon aria-label={say('commands')} onClick={() => perform('palette')}>
          <IconCommand size={18} stroke={1.6} />
        </ActionIcon>
      </Tooltip>
      <UserMenu />
    </header>
  );
}

function UserMenu(): ReactNode {
  const say = useMessages(messages);
  const { user } = useSession();
  const { language, setLanguage } = useLanguage();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const signOut = useSignOut();
  const name = user.display_name || user.name;
  return (
    <Menu position="bottom-end" width={240} shadow="sm">
      <Menu.Target>
        <UnstyledButton
          aria-label={say('userMenu', { name })}
          style={{ display: 'flex', alignItems: 'center', gap: 6, height: 32, minWidth: 0 }}
        >
          <IconUserCircle size={20} stroke={1.6} aria-hidden />
          <Text size="sm" truncate maw={180} visibleFrom="sm">
            {name}
          </Text>
          <IconChevronDown size={14} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconUserCircle size={16} />}
          renderRoot={(props) => <Link {...props} to="/account" />}
        >
          {say('account')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{say('language')}</Menu.Label>
        {LANGUAGES.map((one) => (
          <Menu.Item
            key={one}
            role="menuitemradio"
            aria-checked={one === language}
            lang={one}
            closeMenuOnClick={false}
            leftSection={<Check isShown={one === language} />}
            onClick={() => setLanguage(one)}
          >
            {LANGUAGE_NAMES[one]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{say('appearance')}</Menu.Label>
        {SCHEMES.map(([scheme, label, Icon]) => (
          <Menu.Item
            key={scheme}
            role="menuitemradio"
            aria-checked={scheme === colorScheme}
            closeMenuOnClick={false}
            leftSection={<Check isShown={scheme === colorScheme} />}
            rightSection={<Icon size={14} aria-hidden />}
            onClick={() => setColorScheme(scheme)}
          >
            {say(label)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void signOut()}>
          {say('signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Check(props: { readonly isShown: boolean }): ReactNode {
  return <IconCheck size={16} aria-hidden style={{ visibility: props.isShown ? 'visible' : 'hidden' }} />;
}
