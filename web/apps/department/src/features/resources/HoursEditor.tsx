import { ActionIcon, Button, Group, Stack, Switch, Text } from '@mantine/core';
import { call, type DepartmentResource, type OpeningHours } from '@negatoscope/api-client';
import { DateField, Failure, TimeField, useMessages, useNotify } from '@negatoscope/ui';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { messages } from './messages';

const DAYS = [1, 2, 3, 4, 5, 6, 7] as const;
const HINTS = { ROOM: 'never', DEVICE: 'follows', STAFF: 'whenNeeded' } as const;

/** The weekly hours of a resource, day by day. */
export function HoursEditor(props: { readonly resource: DepartmentResource }): ReactNode {
  const { resource } = props;
  const say = useMessages(messages);
  const notify = useNotify();
  const client = useQueryClient();
  const [hours, setHours] = useState<readonly OpeningHours[]>(() =>
    resource.hours.map((one) => ({ ...one, opens: one.opens.slice(0, 5), closes: one.closes.slice(0, 5) })),
  );
  const [isDated, setDated] = useState(() =>
    resource.hours.some((one) => one.valid_from !== null || one.valid_until !== null),
  );
  const keep = useMutation({
    mutationFn: () =>
      call('PUT /api/v1/resources/{number}/opening-hours', {
        path: { number: resource.id },
        body: { version: resource.version, hours: [...hours] },
      }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['resources'] });
      void client.invalidateQueries({ queryKey: ['calendar', 'background'] });
      notify.done(say('hoursSaved'));
    },
  });
  const change = (index: number, to: Partial<OpeningHours>) =>
    setHours(hours.map((one, at) => (at === index ? { ...one, ...to } : one)));

  function add(weekday: number): void {
    const last = hours.filter((one) => one.weekday === weekday).at(-1);
    const opens = last === undefined ? '08:00' : last.closes;
    setHours([...hours, { weekday, opens, closes: opens < '18:00' ? '18:00' : '23:59' }]);
  }

  function copyDown(): void {
    const monday = hours.filter((one) => one.weekday === 1);
    setHours([
      ...hours.filter((one) => one.weekday === 1 || one.weekday > 5),
      ...[2, 3, 4, 5].flatMap((weekday) => monday.map((one) => ({ ...one, weekday }))),
    ]);
  }

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (!keep.isPending) keep.mutate();
  }

  return (
    <form onSubmit={onSubmit}>
      <Stack gap={6}>
        {keep.isError ? <Failure error={keep.error} /> : null}
        {DAYS.map((weekday) => {
          const day = say(`day${weekday}`);
          const own = hours.flatMap((one, index) => (one.weekday === weekday ? [{ one, index }] : []));
          return (
            <Group key={weekday} gap="xs" align="flex-start" wrap="nowrap">
              <Text size="sm" w={82} pt={5} style={{ flex: 'none' }}>
                {day}
              </Text>
              <Stack gap={4} flex={1}>
                {own.length === 0 ? (
                  <Text size="sm" c="dimmed" pt={5}>
                    {hours.length === 0 && resource.kind !== 'ROOM' ? '–' : say('closed')}
                  </Text>
                ) : null}
                {own.map(({ one, index }) => (
                  <Group key={index} gap={4} wrap="nowrap">
                    <TimeField
                      name={`${day}, ${say('opens')}`}
                      required
                      w={72}
                      value={one.opens}
                      onChange={(opens) => change(index, { opens })}
                    />
                    <TimeField
                      name={`${day}, ${say('closes')}`}
                      required
                      w={72}
                      value={one.closes}
                      error={one.closes <= one.opens}
                      onChange={(closes) => change(index, { closes })}
                    />
                    {isDated ? (
                      <>
                        <DateField
                          aria-label={`${day}, ${say('validFrom')}`}
                          placeholder={say('validFrom')}
                          w={128}
                          value={one.valid_from ?? ''}
                          onChange={(from) => change(index, { valid_from: from || null })}
                        />
                        <DateField
                          aria-label={`${day}, ${say('validUntil')}`}
                          placeholder={say('validUntil')}
                          w={128}
                          value={one.valid_until ?? ''}
                          onChange={(until) => change(index, { valid_until: until || null })}
                        />
                      </>
                    ) : null}
                    <ActionIcon
                      aria-label={`${say('removeHours')}: ${day}`}
                      onClick={() => setHours(hours.filter((_, at) => at !== index))}
                    >
                      <IconTrash size={16} aria-hidden />
                    </ActionIcon>
                  </Group>
                ))}
              </Stack>
              <ActionIcon aria-label={say('addHours', { day })} onClick={() => add(weekday)}>
                <IconPlus size={16} aria-hidden />
              </ActionIcon>
            </Group>
          );
        })}
        <Text size="xs" c="dimmed">
          {say(HINTS[resource.kind])} {say('midnight')}
        </Text>
        <Group justify="space-between">
          <Group gap="sm">
            <Button variant="default" onClick={copyDown}>
              {say('copyDown')}
            </Button>
            <Switch
              label={say('validity')}
              checked={isDated}
              onChange={(event) => setDated(event.currentTarget.checked)}
            />
          </Group>
          <Button
            type="submit"
            loading={keep.isPending}
            disabled={hours.some((one) => one.closes <= one.opens)}
          >
            {say('keepHours')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
