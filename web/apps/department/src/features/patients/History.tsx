import { Anchor, Button, Center, Group, Text } from '@mantine/core';
import type { PatientFile, TraitChange } from '@negatoscope/api-client';
import { Panel, useFormat, useMessages } from '@negatoscope/ui';
import { Link } from '@tanstack/react-router';
import { Fragment, type ReactNode, useState } from 'react';
import { useMay } from '../session/session';
import { differences } from './changes';
import { fileMessages } from './file.messages';
import { messages } from './messages';
import classes from './PatientFilePage.module.css';

const FIRST = 8;

/** Every change of a file, the newest first: who or which message, what, before and after. */
export function History(props: { readonly file: PatientFile }): ReactNode {
  const say = useMessages(fileMessages);
  const [isWhole, setWhole] = useState(false);
  const { changes } = props.file;
  return (
    <Panel title={say('history')} isFlush>
      {changes.slice(0, isWhole ? undefined : FIRST).map((one) => (
        <Change key={one.id} change={one} />
      ))}
      {changes.length > FIRST && !isWhole ? (
        <Center p="xs">
          <Button variant="default" size="compact-sm" onClick={() => setWhole(true)}>
            {say('earlier')}
          </Button>
        </Center>
      ) : null}
    </Panel>
  );
}

function Change(props: { readonly change: TraitChange }): ReactNode {
  const { change } = props;
  const say = useMessages(fileMessages);
  const sayTraits = useMessages(messages);
  const format = useFormat();
  const names: Readonly<Record<string, string>> = {
    birth_name: say('birthName'),
    used_name: say('usedName'),
    birth_date: say('birthDate'),
    lunar_birth_date: say('lunarDate'),
    sex: say('sex'),
    birth_place_code: sayTraits('birthPlace'),
    birth_place_name: say('birthPlace'),
    identity_status: say('status'),
    identity_attributes: say('attributes'),
    died_at: say('died'),
    is_deceased: sayTraits('deceased'),
    address: say('address'),
    telephone: say('telephone'),
    identifiers: say('identifiers'),
  };
  const rows = differences(change, format);
  return (
    <div className={classes['change'] ?? ''}>
      <Group gap={8}>
        <Text size="sm" fw={600}>
          {say(change.kind, { other: String(change.other_patient ?? '') })}
        </Text>
        <Text size="xs" c="dimmed">
          {format.dateTime(change.at)} · <Source source={change.source} />
        </Text>
      </Group>
      {rows.length === 0 ? null : (
        <div className={classes['differences'] ?? ''}>
          {rows.map((one) => (
            <Fragment key={one.name}>
              <Text size="xs" c="dimmed" span>
                {names[one.name] ?? one.name}
              </Text>
              <span className={one.before === '' ? '' : (classes['cancelled'] ?? '')}>{one.before}</span>
              <span>{one.after}</span>
            </Fragment>
          ))}
        </div>
      )}
    </div>
  );
}

function Source(props: { readonly source: string }): ReactNode {
  const say = useMessages(fileMessages);
  const mayAdminister = useMay('administer');
  const [kind, name = ''] = props.source.split(/:(.*)/s);
  if (kind !== 'hl7') return name || props.source;
  const label = say('byMessage', { number: name });
  return mayAdminister ? (
    <Anchor
      size="xs"
      underline="always"
      renderRoot={(root) => <Link to="/admin/messages" search={{ open: Number(name) }} {...root} />}
    >
      {label}
    </Anchor>
  ) : (
    label
  );
}
