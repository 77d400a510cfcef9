import {
  NumberInput,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { DateTimeField, useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { messages } from './messages';
import { type OrderPriority, PRIORITIES } from './search';
import type { TypedWords } from './words';

const TRANSPORTS = ['WALK', 'CHAIR', 'BED', 'PORTABLE'] as const;

/** The fields of what is said of an order. */
export function WordsFields(props: {
  readonly typed: TypedWords;
  readonly onChange: (typed: TypedWords) => void;
  readonly questionError?: string;
}): ReactNode {
  const { typed } = props;
  const say = useMessages(messages);
  const set = (change: Partial<TypedWords>) => props.onChange({ ...typed, ...change });
  const field = (
    name:
      | 'clinicalQuestion'
      | 'justification'
      | 'comments'
      | 'requestingService'
      | 'requestingPhysician'
      | 'location'
      | 'allergies'
      | 'alerts',
    maxLength: number,
  ) => ({
    value: typed[name],
    maxLength,
    autoComplete: 'off',
    onChange: (event: { readonly currentTarget: { readonly value: string } }) =>
      set({ [name]: event.currentTarget.value }),
  });
  const isKnownTransport = (TRANSPORTS as readonly string[]).includes(typed.transport);
  return (
    <Stack gap="sm">
      <Stack gap={4}>
        <Text size="sm" fw={500}>
          {say('priority')}
        </Text>
        <SegmentedControl
          aria-label={say('priority')}
          size="xs"
          value={typed.priority}
          data={PRIORITIES.map((one) => ({ value: one, label: say(`priority${one}`) }))}
          onChange={(value) => set({ priority: value as OrderPriority })}
          style={{ alignSelf: 'flex-start' }}
        />
      </Stack>
      <Textarea
        label={say('clinicalQuestion')}
        withAsterisk
        autosize
        minRows={2}
        maxRows={6}
        error={props.questionError}
        {...field('clinicalQuestion', 4000)}
      />
      <Textarea
        label={say('justification')}
        autosize
        minRows={1}
        maxRows={6}
        {...field('justification', 4000)}
      />
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm" verticalSpacing="xs">
        <TextInput label={say('requestingService')} {...field('requestingService', 64)} />
        <TextInput
          label={say('requestingPhysician')}
          placeholder={say('requestingPhysicianHint')}
          {...field('requestingPhysician', 200)}
        />
        <TextInput label={say('location')} {...field('location', 64)} />
        <Select
          label={say('transport')}
          allowDeselect={false}
          value={typed.transport}
          data={[
            { value: '', label: say('transportUnknown') },
            ...TRANSPORTS.map((one) => ({ value: one, label: say(one) })),
            ...(typed.transport === '' || isKnownTransport
              ? []
              : [{ value: typed.transport, label: typed.transport }]),
          ]}
          onChange={(value) => set({ transport: value ?? '' })}
        />
        <DateTimeField
          label={say('wishedAt')}
          value={typed.wishedAt}
          onChange={(wishedAt) => set({ wishedAt })}
        />
        <SimpleGrid cols={2} spacing="sm">
          <NumberInput
            label={say('weight')}
            min={0.1}
            max={700}
            decimalScale={1}
            hideControls
            value={typed.weightKg}
            onChange={(value) => set({ weightKg: typeof value === 'number' && value > 0 ? value : '' })}
          />
          <NumberInput
            label={say('height')}
            min={1}
            max={300}
            decimalScale={1}
            hideControls
            value={typed.heightCm}
            onChange={(value) => set({ heightCm: typeof value === 'number' && value > 0 ? value : '' })}
          />
        </SimpleGrid>
        <TextInput label={say('allergies')} {...field('allergies', 4000)} />
        <TextInput label={say('alerts')} {...field('alerts', 4000)} />
      </SimpleGrid>
      <Textarea label={say('comments')} autosize minRows={1} maxRows={6} {...field('comments', 4000)} />
    </Stack>
  );
}
