import { Badge, Box, Button, Checkbox, Grid, Group, Select, Stack, Text, TextInput } from '@mantine/core';
import { Problem } from '@negatoscope/api-client';
import {
  type Column,
  CopyText,
  DataTable,
  Empty,
  Failure,
  Keys,
  Loading,
  PageHeader,
  Panel,
  useConfirm,
  useFormat,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { messages } from './messages';

interface Row {
  readonly name: string;
  readonly date: string;
  readonly modality: string;
  readonly images: number;
  readonly bytes: number;
}

/** One of them shows that a name is a text, whatever is in it. */
const ROWS: readonly Row[] = [
  { name: 'DUPONT^Zoé', date: '20261103', modality: 'CT', images: 846, bytes: 443_000_000 },
  { name: 'MARTIN^Jean-Luc^^Dr', date: '20261029', modality: 'MR', images: 212, bytes: 88_000_000 },
  {
    name: '<b>Bold</b>^<script>alert(1)</script>',
    date: '20251201',
    modality: 'US',
    images: 34,
    bytes: 9_100_000,
  },
  { name: '山田^太郎=ヤマダ^タロウ', date: '20240229', modality: 'CR', images: 2, bytes: 21_500_000 },
];

const COLOURS = [
  '--n-page',
  '--n-surface',
  '--n-hover',
  '--n-selected',
  '--n-border',
  '--mantine-primary-color-filled',
];

/** Our components, for who builds with them. */
export function DesignPage(): ReactNode {
  const say = useMessages(messages);
  return (
    <>
      <PageHeader
        title={say('title')}
        description={say('text')}
        actions={<Button>{say('primary')}</Button>}
      />
      <Grid gap="sm">
        <Grid.Col span={{ base: 12, lg: 7 }}>
          <Stack gap="sm">
            <Studies />
            <Fields />
            <Statuses />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 5 }}>
          <Stack gap="sm">
            <Buttons />
            <Feedback />
            <States />
          </Stack>
        </Grid.Col>
      </Grid>
    </>
  );
}

function Studies(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const columns: readonly Column<Row>[] = [
    {
      key: 'name',
      title: say('patientName'),
      render: (row) => format.personName(row.name),
      sortBy: (row) => row.name,
    },
    {
      key: 'date',
      title: say('studyDate'),
      render: (row) => format.date(row.date),
      sortBy: (row) => row.date,
      width: 110,
    },
    { key: 'modality', title: say('modality'), render: (row) => row.modality, width: 90 },
    {
      key: 'images',
      title: say('images'),
      render: (row) => format.number(row.images),
      sortBy: (row) => row.images,
      align: 'right',
      width: 90,
    },
    {
      key: 'bytes',
      title: say('size'),
      render: (row) => format.bytes(row.bytes),
      sortBy: (row) => row.bytes,
      align: 'right',
      width: 90,
    },
  ];
  return (
    <Panel title={say('table')} isFlush>
      <DataTable
        label={say('table')}
        rows={ROWS}
        columns={columns}
        rowKey={(row) => row.name}
        onOpen={() => undefined}
      />
    </Panel>
  );
}

function Fields(): ReactNode {
  const say = useMessages(messages);
  return (
    <Panel title={say('fields')}>
      <Group align="flex-start">
        <TextInput label={say('patientName')} description={say('hint')} />
        <TextInput label={say('studyDate')} error={say('wrong')} defaultValue="31/02/2026" />
        <Select label={say('modality')} data={['CT', 'MR', 'US']} defaultValue="CT" />
        <Checkbox label={say('anonymised')} mt={28} />
      </Group>
    </Panel>
  );
}

function Statuses(): ReactNode {
  const say = useMessages(messages);
  return (
    <>
      <Panel title={say('statuses')}>
        <Group gap="xs">
          {['SCHEDULED', 'IN PROGRESS', 'COMPLETED', 'DISCONTINUED'].map((status, index) => (
            <Badge key={status} variant="light" color={['gray', 'blue', 'teal', 'red'][index] ?? 'gray'}>
              {status}
            </Badge>
          ))}
        </Group>
      </Panel>
      <Panel title={say('colours')}>
        <Group gap="xs">
          {COLOURS.map((name) => (
            <Stack key={name} gap={2} align="center">
              <Box w={48} h={28} bg={`var(${name})`} bd="1px solid var(--n-border)" />
              <Text size="xs" c="dimmed">
                {name.replace(/^--(n|mantine)-/, '')}
              </Text>
            </Stack>
          ))}
        </Group>
      </Panel>
    </>
  );
}

function Buttons(): ReactNode {
  const say = useMessages(messages);
  return (
    <Panel title={say('buttons')}>
      <Group gap="xs">
        <Button>{say('primary')}</Button>
        <Button variant="default">{say('secondary')}</Button>
        <Button variant="subtle">{say('quiet')}</Button>
        <Button color="red">{say('dangerous')}</Button>
        <Button loading>{say('busy')}</Button>
        <Button disabled>{say('off')}</Button>
      </Group>
      <Group gap="lg" mt="sm">
        <Keys shortcut="mod+k" />
        <Keys shortcut="g s" />
        <Keys shortcut="shift+enter" />
      </Group>
    </Panel>
  );
}

function Feedback(): ReactNode {
  const say = useMessages(messages);
  const notify = useNotify();
  const confirm = useConfirm();
  return (
    <Panel title={say('feedback')}>
      <Group gap="xs">
        <Button variant="default" onClick={() => notify.done(say('toastText'))}>
          {say('toast')}
        </Button>
        <Button
          variant="default"
          onClick={() => notify.done(say('toastText'), () => notify.info(say('undone')))}
        >
          {say('toastUndo')}
        </Button>
        <Button
          variant="default"
          onClick={() =>
            void confirm({
              title: say('askTitle'),
              text: say('askText'),
              verb: say('dangerous'),
              isDangerous: true,
            })
          }
        >
          {say('ask')}
        </Button>
      </Group>
      <Box mt="sm">
        <CopyText text="1.2.826.0.1.3680043.8.498.1" />
      </Box>
    </Panel>
  );
}

function States(): ReactNode {
  const say = useMessages(messages);
  const problem = new Problem(503, { code: 'database-unavailable', title: 'The database does not answer' });
  return (
    <Panel title={say('states')}>
      <Failure error={problem} onRetry={() => undefined} />
      <Empty title={say('empty')}>{say('emptyText')}</Empty>
      <Loading />
    </Panel>
  );
}
