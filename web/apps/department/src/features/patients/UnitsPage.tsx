import { Alert, Button, Center, Checkbox, FileButton, Group, List, Stack, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { call, type HospitalUnit, Problem } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Empty,
  Failure,
  Loading,
  PageHeader,
  Panel,
  useFormat,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { IconFileImport } from '@tabler/icons-react';
import { keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { fileMessages } from './file.messages';

const PAGE = 200;
const QUIET_MS = 200;

/** The hospital's structure: units as they were and are called. */
export function UnitsPage(): ReactNode {
  const say = useMessages(fileMessages);
  const format = useFormat();
  const notify = useNotify();
  const client = useQueryClient();
  const [text, setText] = useState('');
  const [isToday, setToday] = useState(false);
  const [wanted] = useDebouncedValue(text.trim(), QUIET_MS);
  const day = isToday ? new Date().toLocaleDateString('sv-SE') : null;
  const list = useInfiniteQuery({
    queryKey: ['hospital-units', wanted, day],
    queryFn: ({ pageParam, signal }) =>
      call('GET /api/v1/hospital-units', {
        query: {
          text: wanted,
          day,
          limit: PAGE,
          ...(pageParam === null ? {} : { after_code: pageParam.code, after_id: pageParam.id }),
        },
        signal,
      }),
    initialPageParam: null as HospitalUnit | null,
    getNextPageParam: (last) => (last.length < PAGE ? undefined : last.at(-1)),
    placeholderData: keepPreviousData,
  });
  const take = useMutation({
    mutationFn: async (file: File) =>
      call('POST /api/v1/hospital-units/import', { body: { content: await textOf(file) } }),
    onSuccess: (taken) => {
      void client.invalidateQueries({ queryKey: ['hospital-units'] });
      notify.done(say('imported', { count: taken.unit_count }));
    },
  });
  const badLines = linesOf(take.error);
  const columns: readonly Column<HospitalUnit>[] = [
    { key: 'code', title: say('code'), width: 110, sortBy: (row) => row.code, render: (row) => row.code },
    { key: 'label', title: say('label'), sortBy: (row) => row.label, render: (row) => row.label },
    { key: 'kind', title: say('kind'), sortBy: (row) => row.kind, render: (row) => row.kind },
    { key: 'parent', title: say('parent'), render: (row) => row.parent_code },
    { key: 'from', title: say('from'), width: 110, render: (row) => format.date(row.valid_from) },
    { key: 'until', title: say('until'), width: 110, render: (row) => format.date(row.valid_until) },
    {
      key: 'source',
      title: say('source'),
      width: 160,
      render: (row) => {
        const [kind, name = ''] = row.source.split(/:(.*)/s);
        if (row.source.startsWith('movement ')) return say('byMovement');
        return kind === 'hl7' ? say('byMessage', { number: name }) : name;
      },
    },
  ];
  return (
    <>
      <PageHeader
        title={say('units')}
        description={say('unitsText')}
        actions={
          <FileButton accept=".csv,.txt,text/csv" onChange={(file) => file && take.mutate(file)}>
            {(button) => (
              <Button
                {...button}
                leftSection={<IconFileImport size={16} aria-hidden />}
                loading={take.isPending}
              >
                {say('importFile')}
              </Button>
            )}
          </FileButton>
        }
      />
      <Stack gap="sm">
        {badLines.length > 0 ? (
          <Alert color="red" variant="light" title={say('badLines')} role="alert">
            <List size="sm">
              {badLines.map((one) => (
                <List.Item key={one.line}>
                  {say('line', { line: String(one.line), reason: one.reason })}
                </List.Item>
              ))}
            </List>
          </Alert>
        ) : take.isError ? (
          <Failure error={take.error} />
        ) : null}
        <Panel isFlush>
          <Group gap="sm" p="xs">
            <TextInput
              aria-label={say('searchUnits')}
              placeholder={say('searchUnits')}
              value={text}
              w={280}
              maxLength={100}
              onChange={(event) => setText(event.currentTarget.value)}
            />
            <Checkbox
              label={say('onlyNow')}
              checked={isToday}
              onChange={(event) => setToday(event.currentTarget.checked)}
            />
          </Group>
          {list.isError ? <Failure error={list.error} onRetry={() => void list.refetch()} /> : null}
          {list.isPending ? <Loading /> : null}
          {list.data === undefined ? null : (
            <DataTable
              label={say('units')}
              rows={list.data.pages.flat()}
              columns={columns}
              rowKey={(row) => String(row.id)}
              empty={<Empty title={say('noUnit')}>{say('noUnitHint')}</Empty>}
            />
          )}
          {list.hasNextPage ? (
            <Center p="xs">
              <Button
                variant="default"
                size="compact-sm"
                loading={list.isFetchingNextPage}
                onClick={() => void list.fetchNextPage()}
              >
                {say('moreUnits')}
              </Button>
            </Center>
          ) : null}
        </Panel>
      </Stack>
    </>
  );
}

/** Spreadsheets write UTF-8 or Windows-1252; the server takes UTF-8. */
async function textOf(file: File): Promise<string> {
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

function linesOf(error: unknown): readonly { readonly line: number; readonly reason: string }[] {
  if (!(error instanceof Problem)) return [];
  const { lines } = error.document;
  return Array.isArray(lines) ? lines : [];
}
