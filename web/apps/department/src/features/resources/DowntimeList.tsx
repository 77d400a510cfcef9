import { ActionIcon, Badge, Button, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { call, type DowntimeGiven } from '@negatoscope/api-client';
import { DateTimeField, Failure, Loading, useFormat, useMessages, useNotify } from '@negatoscope/ui';
import { IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { addDays, dayOf, instantOf } from '../calendar/time';
import { messages } from './messages';

type Kind = DowntimeGiven['kind'];
const KINDS: readonly Kind[] = ['MAINTENANCE', 'BREAKDOWN', 'ABSENCE', 'HOLIDAY', 'OTHER'];

/** When a resource will not be there, and what that touches. */
export function DowntimeList(props: { readonly resource: number }): ReactNode {
  const { resource } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const client = useQueryClient();
  const [isAdding, setAdding] = useState(false);
  const background = useQuery({
    queryKey: ['calendar', 'zone', resource],
    queryFn: ({ signal }) => {
      const now = Date.now();
      const range = {
        start_at: new Date(now).toISOString(),
        end_at: new Date(now + 86_400_000).toISOString(),
      };
      return call('GET /api/v1/calendar', { query: { ...range, resource: [resource] }, signal });
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  const zone = background.data?.time_zone ?? 'Europe/Paris';
  const today = dayOf(new Date(), zone);
  const found = useQuery({
    queryKey: ['downtime', resource, today],
    queryFn: ({ signal }) =>
      call('GET /api/v1/downtime', {
        query: {
          start_at: instantOf(today, 0, zone).toISOString(),
          end_at: instantOf(addDays(today, 366), 0, zone).toISOString(),
          resource: [resource],
        },
        signal,
      }),
  });
  const changed = () => {
    void client.invalidateQueries({ queryKey: ['downtime'] });
    void client.invalidateQueries({ queryKey: ['calendar', 'background'] });
  };
  const remove = useMutation({
    mutationFn: (number: number) => call('DELETE /api/v1/downtime/{number}', { path: { number } }),
    onSuccess: () => {
      changed();
      notify.done(say('downRemoved'));
    },
    onError: notify.failed,
  });
  return (
    <Stack gap={6}>
      {found.isError ? <Failure error={found.error} onRetry={() => void found.refetch()} /> : null}
      {found.isPending ? <Loading /> : null}
      {found.data?.length === 0 ? (
        <Text size="sm" c="dimmed">
          {say('noDowntime')}
        </Text>
      ) : null}
      {(found.data ?? []).map((one) => (
        <Group key={one.id} gap="xs" wrap="nowrap" justify="space-between">
          <Stack gap={0}>
            <Group gap={6}>
              <Badge size="sm" variant="light" color="orange" tt="none">
                {say(one.kind as Kind)}
              </Badge>
              <Text size="sm">
                {format.dateTime(one.start_at)} – {format.dateTime(one.end_at)}
              </Text>
            </Group>
            <Text size="xs" c="dimmed">
              {[one.reason, one.resource === null ? say('whole') : '', one.created_by]
                .filter(Boolean)
                .join(' · ')}
            </Text>
          </Stack>
          <ActionIcon
            aria-label={`${say('removeDowntime')}: ${format.dateTime(one.start_at)}`}
            loading={remove.isPending && remove.variables === one.id}
            onClick={() => remove.mutate(one.id)}
          >
            <IconTrash size={16} aria-hidden />
          </ActionIcon>
        </Group>
      ))}
      {isAdding ? (
        <NewDowntime
          resource={resource}
          zone={zone}
          today={today}
          onBack={() => setAdding(false)}
          onDone={(count) => {
            setAdding(false);
            changed();
            notify.done(count === 0 ? say('downNone') : say('downAdded', { count }));
          }}
        />
      ) : (
        <Group>
          <Button variant="default" onClick={() => setAdding(true)}>
            {say('addDowntime')}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

function NewDowntime(props: {
  readonly resource: number;
  readonly zone: string;
  readonly today: string;
  readonly onBack: () => void;
  readonly onDone: (affected: number) => void;
}): ReactNode {
  const { zone } = props;
  const say = useMessages(messages);
  const tomorrow = addDays(props.today, 1);
  const [kind, setKind] = useState<Kind>('MAINTENANCE');
  const [start, setStart] = useState(`${tomorrow}T08:00`);
  const [end, setEnd] = useState(`${tomorrow}T12:00`);
  const [reason, setReason] = useState('');
  const isBackwards = end <= start;
  const add = useMutation({
    mutationFn: () =>
      call('POST /api/v1/downtime', {
        body: {
          resource: props.resource,
          kind,
          start_at: instantOfText(start, zone),
          end_at: instantOfText(end, zone),
          reason: reason.trim(),
        },
      }),
    onSuccess: (done) => props.onDone(done.affected_count),
  });

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (!isBackwards && !add.isPending) add.mutate();
  }

  return (
    <form onSubmit={onSubmit}>
      <Stack gap={6}>
        {add.isError ? <Failure error={add.error} /> : null}
        <Group gap="xs" grow align="flex-start">
          <Select
            label={say('downKind')}
            allowDeselect={false}
            value={kind}
            data={KINDS.map((one) => ({ value: one, label: say(one) }))}
            onChange={(value) => setKind((value ?? 'OTHER') as Kind)}
          />
          <DateTimeField label={say('start')} required value={start} onChange={setStart} />
          <DateTimeField
            label={say('end')}
            required
            value={end}
            {...(isBackwards ? { error: say('endsFirst') } : {})}
            onChange={setEnd}
          />
        </Group>
        <TextInput
          label={say('reason')}
          maxLength={1000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={props.onBack}>
            {say('cancel')}
          </Button>
          <Button type="submit" loading={add.isPending} disabled={isBackwards || start === '' || end === ''}>
            {say('addDowntime')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** `2026-11-25T08:30` by the department's clocks. */
function instantOfText(text: string, zone: string): string {
  const [day = '', time = ''] = text.split('T');
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return instantOf(day, hours * 60 + minutes, zone).toISOString();
}
