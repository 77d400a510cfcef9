import { ActionIcon, Anchor, Badge, Group, Menu, Stack, Text } from '@mantine/core';
import type { OrderedProcedure } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import { IconDots, IconPhoto } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { OrderBadge, VettingBadge } from './badges';
import { procedureName } from './describe';
import { messages } from './messages';

/** A requested procedure with its steps. */
export function ProcedureCard(props: {
  readonly procedure: OrderedProcedure;
  /** What may be done with it; none: no menu. */
  readonly deeds: readonly { readonly label: string; readonly perform: () => void }[];
  readonly studies: readonly string[];
}): ReactNode {
  const { procedure } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const isGone = procedure.state === 'CANCELED' || procedure.state === 'REPLACED';
  const contrast = [...new Set(procedure.steps.map((one) => one.requested_contrast_agent))].filter(Boolean);
  return (
    <Stack
      gap={6}
      p="sm"
      style={{
        border: '1px solid var(--n-border)',
        borderRadius: 'var(--mantine-radius-sm)',
        opacity: isGone ? 0.7 : 1,
      }}
    >
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div style={{ minWidth: 0 }}>
          <Text fw={600} td={isGone ? 'line-through' : undefined}>
            {procedureName(procedure)}
          </Text>
          <Text size="xs" c="dimmed">
            {[
              procedure.modality,
              [procedure.code_value, procedure.coding_scheme_designator].filter(Boolean).join(' '),
              say('minutes', { count: procedure.duration_min }),
              procedure.requested_procedure_id,
              ...contrast.map((agent) => say('contrast', { agent })),
              procedure.wished_room_name === '' ? '' : say('inRoom', { room: procedure.wished_room_name }),
            ]
              .filter(Boolean)
              .join(' · ')}
          </Text>
        </div>
        <Group gap={6} wrap="nowrap">
          {procedure.catalogue === null ? (
            <Badge size="sm" variant="outline" color="orange" tt="none" title={say('notInCatalogueHint')}>
              {say('notInCatalogue')}
            </Badge>
          ) : null}
          <VettingBadge vetting={procedure.vetting} />
          {isGone && procedure.vetting !== 'NOT NEEDED' && procedure.vetting !== 'ACCEPTED' ? null : (
            <OrderBadge state={procedure.state} />
          )}
          {props.deeds.length === 0 ? null : (
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="subtle" aria-label={procedureName(procedure)}>
                  <IconDots size={16} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                {props.deeds.map((one) => (
                  <Menu.Item key={one.label} onClick={one.perform}>
                    {one.label}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          )}
        </Group>
      </Group>
      {procedure.protocol === '' ? null : (
        <Text size="sm" style={{ whiteSpace: 'pre-line' }}>
          <Text span size="sm" c="dimmed">{`${say('protocol')} : `}</Text>
          {procedure.protocol}
        </Text>
      )}
      {procedure.vetting_reason === '' ? null : (
        <Text size="sm" style={{ whiteSpace: 'pre-line' }}>
          {procedure.vetting_reason}
        </Text>
      )}
      {procedure.vetted_by === '' ? null : (
        <Text size="xs" c="dimmed">
          {say('vettedBy', { who: procedure.vetted_by, date: format.dateTime(procedure.vetted_at) })}
        </Text>
      )}
      {procedure.steps.map((step) => (
        <Group key={step.id} gap="xs" wrap="nowrap">
          <Badge size="xs" variant="dot" tt="none" color={step.state === 'CANCELED' ? 'gray' : 'blue'}>
            {say(`step${step.state}`)}
          </Badge>
          <Text size="xs" c="dimmed" truncate>
            {[
              step.description === procedureName(procedure) ? '' : step.description,
              format.dateTime(step.started_at ?? step.start_at),
              step.location,
              step.scheduled_station_ae_title,
              step.acquired_with === null ? '' : say('oneAcquisition'),
            ]
              .filter(Boolean)
              .join(' · ')}
          </Text>
        </Group>
      ))}
      {props.studies.map((uid) => (
        <Anchor
          key={uid}
          size="sm"
          renderRoot={(root) => <Link to="/viewer/$studies" params={{ studies: uid }} {...root} />}
        >
          <Group gap={4} component="span">
            <IconPhoto size={15} aria-hidden /> {say('images')}
          </Group>
        </Anchor>
      ))}
    </Stack>
  );
}
