import { Button, Group, Select, Stack, Text, UnstyledButton } from '@mantine/core';
import { call, type HalfDay, type Slot } from '@negatoscope/api-client';
import { DateField, Failure, Loading, useFormat, useMessages } from '@negatoscope/ui';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { messages } from './messages';
import { different, MORNING } from './slots';
import { clock, dayOf, instantOf, minutesOf } from './time';

/** So many are asked for, to choose different ones among them. */
const ASKED = 100;

/** The next free slots for steps, of different rooms; nights only for who is urgent. */
export function useSlots(
  steps: readonly number[],
  wish: Wish,
  zone: string,
  more: { readonly ignore?: number; readonly rooms?: readonly number[] | null; readonly isUrgent?: boolean },
) {
  const { ignore = null, rooms = null, isUrgent = false } = more;
  return useQuery({
    queryKey: ['calendar', 'slots', steps, wish, ignore, rooms],
    queryFn: ({ signal }) =>
      call('GET /api/v1/slots', {
        query: {
          step: [...steps],
          limit: ASKED,
          ignore_appointment: ignore,
          room: rooms === null ? null : [...rooms],
          half_day: wish.halfDay,
          earliest:
            wish.earliest === ''
              ? null
              : instantOf(wish.earliest, isUrgent ? 0 : MORNING, zone).toISOString(),
        },
        signal,
      }),
    enabled: steps.length > 0 && steps.length <= 6,
    staleTime: 15_000,
    select: (found) => different(found, zone, isUrgent),
  });
}

export interface Wish {
  readonly halfDay: HalfDay | null;
  /** A day, or empty: from now on. */
  readonly earliest: string;
}

export const ANY_TIME: Wish = { halfDay: null, earliest: '' };

/** Proposed slots, each shown in the calendar or taken at once. */
export function SlotList(props: {
  readonly steps: readonly number[];
  readonly ignore?: number;
  readonly zone: string;
  readonly verb: string;
  readonly roomName: (room: number) => string;
  readonly wish?: Wish;
  readonly onWish?: (wish: Wish) => void;
  readonly isUrgent?: boolean;
  /** Only in these. */
  readonly rooms?: readonly number[] | null;
  readonly onShow?: (slot: Slot) => void;
  readonly onTake: (slot: Slot) => void;
}): ReactNode {
  const { zone } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const [own, setOwn] = useState(ANY_TIME);
  const wish = props.wish ?? own;
  const setWish = props.onWish ?? setOwn;
  const slots = useSlots(props.steps, wish, zone, {
    ...(props.ignore === undefined ? {} : { ignore: props.ignore }),
    rooms: props.rooms ?? null,
    isUrgent: props.isUrgent ?? false,
  });
  const dayName = new Intl.DateTimeFormat(format.locale, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    timeZone: zone,
  });
  return (
    <Stack gap={6}>
      <Group gap="xs" grow align="flex-end">
        <DateField
          label={say('earliest')}
          value={wish.earliest}
          onChange={(earliest) => setWish({ ...wish, earliest })}
        />
        <Select
          label={say('halfDay')}
          allowDeselect={false}
          value={wish.halfDay ?? ''}
          data={[
            { value: '', label: say('anyTime') },
            { value: 'AM', label: say('AM') },
            { value: 'PM', label: say('PM') },
          ]}
          onChange={(value) => setWish({ ...wish, halfDay: value === 'AM' || value === 'PM' ? value : null })}
        />
      </Group>
      {slots.isError ? <Failure error={slots.error} onRetry={() => void slots.refetch()} /> : null}
      {slots.isPending ? <Loading /> : null}
      {slots.data?.length === 0 ? (
        <Text size="sm" c="dimmed">
          {say('noSlot')}
        </Text>
      ) : null}
      <Stack gap={2} component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
        {(slots.data ?? []).map((slot) => {
          const start = new Date(slot.start_at);
          const rooms = [...new Set(slot.steps.map((one) => props.roomName(one.room)))].join(', ');
          const text = (
            <>
              <Text size="sm" fw={600}>
                {dayName.format(start)} {clock(minutesOf(start, dayOf(start, zone), zone))}
              </Text>
              <Text size="xs" c="dimmed" truncate>
                {rooms}
              </Text>
            </>
          );
          return (
            <li key={`${slot.start_at}-${rooms}`}>
              <Group justify="space-between" wrap="nowrap" gap="xs">
                {props.onShow === undefined ? (
                  <div style={{ minWidth: 0 }}>{text}</div>
                ) : (
                  <UnstyledButton
                    miw={0}
                    title={say('showHere')}
                    onClick={() => props.onShow?.(slot)}
                    style={{ flex: '1 1 auto' }}
                  >
                    {text}
                  </UnstyledButton>
                )}
                <Button size="compact-xs" variant="light" onClick={() => props.onTake(slot)}>
                  {props.verb}
                </Button>
              </Group>
            </li>
          );
        })}
      </Stack>
    </Stack>
  );
}
