import { Button, Checkbox, Group, Modal, Stack, Text } from '@mantine/core';
import type { ListedOrder, OrderedStep } from '@negatoscope/api-client';
import { useFormat, useMessages } from '@negatoscope/ui';
import { type ReactNode, useState } from 'react';
import { procedureName } from './describe';
import { messages } from './messages';

/** A procedure of another order that one acquisition may fulfil too. */
export interface Candidate {
  readonly order: ListedOrder;
  readonly name: string;
  readonly steps: readonly OrderedStep[];
}

const OPEN = new Set(['REQUESTED', 'SCHEDULED']);

/** Procedures of other orders that can be acquired with some steps: same modality, same time, not begun. */
export function candidatesOf(orders: readonly ListedOrder[], mine: readonly OrderedStep[]): Candidate[] {
  const [first] = mine;
  if (first === undefined || mine.some((one) => !together(one, first))) return [];
  return orders.flatMap((order) =>
    order.procedures
      .filter((procedure) => OPEN.has(procedure.state))
      .map((procedure) => ({
        order,
        name: procedureName(procedure),
        steps: procedure.steps.filter((one) => one.state !== 'CANCELED'),
      }))
      .filter(
        ({ steps }) =>
          steps.length > 0 &&
          steps.every((one) => together(one, first)) &&
          steps.every((one) => one.acquired_with === null),
      ),
  );
}

function together(one: OrderedStep, other: OrderedStep): boolean {
  return one.modality === other.modality && one.start_at === other.start_at;
}

/** Chooses which procedures of the patient's other orders are acquired with this order. */
export function TogetherDialog(props: {
  readonly candidates: readonly Candidate[];
  readonly isSending: boolean;
  readonly onDo: (steps: readonly number[]) => void;
  readonly onClose: () => void;
}): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const steps = props.candidates
    .filter((_, at) => chosen.includes(String(at)))
    .flatMap((one) => one.steps.map((step) => step.id));
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={say('together')}
      closeButtonProps={{ 'aria-label': say('close') }}
    >
      <Stack gap="sm">
        <Text size="sm">{say('togetherText')}</Text>
        <Checkbox.Group value={[...chosen]} onChange={setChosen}>
          <Stack gap="xs">
            {props.candidates.map((one, at) => (
              <Checkbox
                // biome-ignore lint/suspicious/noArrayIndexKey: the list stays while the dialog is open
                key={at}
                value={String(at)}
                label={one.name}
                description={[
                  one.order.accession_number,
                  one.order.requesting_service,
                  format.dateTime(one.order.created_at),
                ]
                  .filter(Boolean)
                  .join(' · ')}
                data-autofocus={at === 0 ? true : undefined}
              />
            ))}
          </Stack>
        </Checkbox.Group>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={props.onClose}>
            {say('close')}
          </Button>
          <Button loading={props.isSending} disabled={steps.length === 0} onClick={() => props.onDo(steps)}>
            {say('togetherDo')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
