import { Button, Checkbox, Chip, Group, Modal, Stack, Text } from '@mantine/core';
import { call, type PatientFile } from '@negatoscope/api-client';
import { Failure, useMessages, useNotify } from '@negatoscope/ui';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { fileMessages } from './file.messages';
import { messages } from './messages';
import { TraitFields } from './TraitFields';
import { errorsOf, fromFile, toBody } from './traits';

const ATTRIBUTES = ['HOMA', 'DOUT', 'FICT'] as const;
type Attribute = (typeof ATTRIBUTES)[number];

/** Traits by hand, and how far the identity can be trusted; what did not change is not sent. */
export function CorrectionDialog(props: {
  readonly file: PatientFile;
  readonly onClose: () => void;
}): ReactNode {
  const { file } = props;
  const say = useMessages(fileMessages);
  const sayTraits = useMessages(messages);
  const notify = useNotify();
  const client = useQueryClient();
  const [typed, setTyped] = useState(() => fromFile(file));
  const [isChecked, setChecked] = useState(file.identity_code === 'VALI');
  const [attributes, setAttributes] = useState<readonly string[]>(file.identity_attributes);
  const [isSent, setSent] = useState(false);
  const isDoubtful = attributes.includes('DOUT') || attributes.includes('FICT');
  const save = useMutation({
    mutationFn: () => {
      const before = toBody(fromFile(file));
      const after = toBody(typed);
      const changed = Object.fromEntries(
        Object.entries(after).filter(
          ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as keyof typeof before]),
        ),
      );
      const code = isChecked && !isDoubtful ? ('VALI' as const) : ('PROV' as const);
      const isOther = [...attributes].sort().join() !== [...file.identity_attributes].sort().join();
      return call('PATCH /api/v1/registered-patients/{number}', {
        path: { number: file.id },
        body: {
          ...changed,
          version: file.version,
          ...(code === (file.identity_code || 'PROV') ? {} : { identity_code: code }),
          ...(isOther ? { identity_attributes: attributes as Attribute[] } : {}),
        },
      });
    },
    onSuccess: (next) => {
      client.setQueryData(['registered-patient', file.id], next);
      void client.invalidateQueries({ queryKey: ['registered-patients'] });
      notify.done(say('corrected'));
      props.onClose();
    },
  });

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    setSent(true);
    if (Object.keys(errorsOf(typed)).length === 0 && !save.isPending) save.mutate();
  }

  return (
    <Modal
      opened
      size="lg"
      onClose={props.onClose}
      title={say('correctTitle')}
      closeButtonProps={{ 'aria-label': sayTraits('close') }}
    >
      <form onSubmit={onSubmit} noValidate>
        <Stack gap="sm">
          <TraitFields typed={typed} isChecked={isSent} onChange={setTyped} />
          <Checkbox
            label={say('checked')}
            checked={isChecked && !isDoubtful}
            disabled={isDoubtful}
            onChange={(event) => setChecked(event.currentTarget.checked)}
          />
          <div>
            <Text size="sm" fw={500} mb={4}>
              {say('attributes')}
            </Text>
            <Group gap={6}>
              {ATTRIBUTES.map((one) => (
                <Chip
                  key={one}
                  size="xs"
                  checked={attributes.includes(one)}
                  onChange={(on) =>
                    setAttributes([
                      ...attributes.filter(
                        (other) => other !== one && !(on && one !== 'HOMA' && other !== 'HOMA'),
                      ),
                      ...(on ? [one] : []),
                    ])
                  }
                >
                  {sayTraits(one)}
                </Chip>
              ))}
            </Group>
            <Text size="xs" c="dimmed" mt={4}>
              {say('attributesHint')}
            </Text>
          </div>
          {save.isError ? <Failure error={save.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              {sayTraits('cancel')}
            </Button>
            <Button type="submit" loading={save.isPending}>
              {sayTraits('save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
