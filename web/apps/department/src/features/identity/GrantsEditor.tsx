import { Button, Group, Select, Stack, Table, Text, TextInput } from '@mantine/core';
import { call, type Grant, type GrantKind } from '@negatoscope/api-client';
import { useFormat, useMessages, useNotify } from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Listed } from './Listed';
import { messages } from './messages';

const LABELS = {
  institution: 'institution',
  department: 'department',
  issuer: 'issuerKind',
  physician: 'physician',
  patient: 'patientKind',
  unit: 'unitKind',
  study: 'study',
  everything: 'everything',
} as const satisfies Readonly<Record<GrantKind, keyof (typeof messages)['en']>>;
const KINDS = Object.keys(LABELS) as GrantKind[];

/** Which studies an account, or an application entity, sees; each change is kept at once. */
export function GrantsEditor(props: { readonly name: string; readonly isEntity?: boolean }): ReactNode {
  const { name, isEntity = false } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const client = useQueryClient();
  const key = ['admin', isEntity ? 'entities' : 'users', name, 'grants'];
  const held = useQuery({
    queryKey: key,
    queryFn: ({ signal }) =>
      isEntity
        ? call('GET /api/v1/application-entities/{ae_title}/grants', { path: { ae_title: name }, signal })
        : call('GET /api/v1/users/{name}/grants', { path: { name }, signal }),
  });
  const set = useMutation({
    mutationFn: (grants: Grant[]) =>
      isEntity
        ? call('PUT /api/v1/application-entities/{ae_title}/grants', {
            path: { ae_title: name },
            body: { grants },
          })
        : call('PUT /api/v1/users/{name}/grants', { path: { name }, body: { grants } }),
    onSuccess: (now) => {
      client.setQueryData(key, now);
      notify.done(say('scopeSaved'));
    },
    onError: notify.failed,
  });
  return (
    <Stack gap="xs">
      <Text size="xs" c="dimmed">
        {say(isEntity ? 'scopeTextEntity' : 'scopeText')}
      </Text>
      <Listed query={held}>
        {({ grants }) => (
          <>
            {grants.length === 0 ? null : (
              <Table aria-label={say('scope')}>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>{say('kind')}</Table.Th>
                    <Table.Th>{say('value')}</Table.Th>
                    <Table.Th>{say('until')}</Table.Th>
                    <Table.Th aria-label={say('remove')} />
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {grants.map((one) => (
                    <Table.Tr key={`${one.kind} ${one.value} ${one.issuer}`}>
                      <Table.Td>{say(LABELS[one.kind])}</Table.Td>
                      <Table.Td>
                        {one.value} {one.issuer ? `(${one.issuer})` : ''}
                      </Table.Td>
                      <Table.Td>{one.expires_at ? format.dateTime(one.expires_at) : ''}</Table.Td>
                      <Table.Td ta="right">
                        <Button
                          size="compact-xs"
                          variant="default"
                          onClick={() => set.mutate(grants.filter((other) => other !== one))}
                        >
                          {say('remove')}
                        </Button>
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            )}
            <NewGrant isBusy={set.isPending} onAdd={(one) => set.mutate([...grants, one])} />
          </>
        )}
      </Listed>
    </Stack>
  );
}

function NewGrant(props: { readonly isBusy: boolean; readonly onAdd: (one: Grant) => void }): ReactNode {
  const say = useMessages(messages);
  const [kind, setKind] = useState<GrantKind>('institution');
  const [value, setValue] = useState('');
  const [issuer, setIssuer] = useState('');
  const needsValue = kind !== 'everything';
  return (
    <Group align="flex-end" gap="xs">
      <Select
        label={say('kind')}
        w={170}
        allowDeselect={false}
        data={KINDS.map((one) => ({ value: one, label: say(LABELS[one]) }))}
        value={kind}
        onChange={(one) => setKind((one ?? 'institution') as GrantKind)}
      />
      {needsValue ? (
        <TextInput
          label={say(kind === 'patient' ? 'patientId' : 'value')}
          maxLength={200}
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
        />
      ) : null}
      {kind === 'patient' ? (
        <TextInput
          label={say('issuer')}
          maxLength={64}
          w={120}
          value={issuer}
          onChange={(event) => setIssuer(event.currentTarget.value)}
        />
      ) : null}
      <Button
        variant="default"
        loading={props.isBusy}
        disabled={needsValue && value.trim() === ''}
        onClick={() => {
          props.onAdd({
            kind,
            value: needsValue ? value.trim() : '',
            issuer: kind === 'patient' ? issuer.trim() : '',
          });
          setValue('');
          setIssuer('');
        }}
      >
        {say('add')}
      </Button>
    </Group>
  );
}
