import { Button, Group, Text } from '@mantine/core';
import type { CatalogueProcedure, OrderedProcedure } from '@negatoscope/api-client';
import { useLanguage, useMessages } from '@negatoscope/ui';
import { type ReactNode, useState } from 'react';
import { procedureName } from './describe';
import { messages } from './messages';
import { type Chosen, chosenName, ProcedurePicker } from './ProcedurePicker';
import { ProtocolFields } from './ProtocolFields';
import { type Protocol, sentProtocol } from './protocol';
import { ReasonDialog } from './ReasonDialog';

const NOTHING: Protocol = { text: '', codes: [], agent: '', modality: '', room: 0 };

/** As the catalogue has it. */
function protocolOfEntry(entry: CatalogueProcedure): Protocol {
  return {
    ...NOTHING,
    codes: entry.protocols ?? [],
    agent: entry.contrast === 'REQUIRED' ? (entry.contrast_agent ?? '') : '',
    modality: entry.modality ?? '',
  };
}

/** Another procedure instead, with how it is to be done. */
export function ReplaceDialog(props: {
  readonly procedure: OrderedProcedure;
  readonly isSending: boolean;
  readonly onDo: (by: Chosen, chosen: ReturnType<typeof sentProtocol>, reason: string) => void;
  readonly onClose: () => void;
}): ReactNode {
  const say = useMessages(messages);
  const { language } = useLanguage();
  const [by, setBy] = useState<Chosen | null>(null);
  const [isMissing, setMissing] = useState(false);
  const [before, setBefore] = useState(NOTHING);
  const [protocol, setProtocol] = useState(NOTHING);
  const pick = (chosen: Chosen) => {
    const start = 'entry' in chosen ? protocolOfEntry(chosen.entry) : NOTHING;
    setBefore(start);
    setProtocol(start);
    setBy(chosen);
  };
  return (
    <ReasonDialog
      title={say('replaceTitle', { name: procedureName(props.procedure) })}
      verb={say('replace')}
      isSending={props.isSending}
      onDo={(reason) => {
        if (by === null) setMissing(true);
        else props.onDo(by, sentProtocol(protocol, before), reason);
      }}
      onClose={props.onClose}
    >
      {by === null ? (
        <ProcedurePicker
          label={say('replaceBy')}
          autoFocus
          onPick={pick}
          {...(isMissing ? { error: say('needProcedure') } : {})}
        />
      ) : (
        <>
          <Group justify="space-between">
            <Text fw={600}>{chosenName(by, language)}</Text>
            <Button size="compact-sm" variant="default" onClick={() => setBy(null)}>
              {say('remove')}
            </Button>
          </Group>
          <ProtocolFields
            value={protocol}
            onChange={setProtocol}
            catalogue={'entry' in by ? by.entry.id : null}
            hasModality={false}
            onSend={() => undefined}
          />
        </>
      )}
    </ReasonDialog>
  );
}
