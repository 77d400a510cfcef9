import { Badge, Button, Group, Stack, Switch, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { call, type Setting, type SettingChange } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Empty,
  PageHeader,
  Panel,
  useConfirm,
  useFormat,
  useLanguage,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { contains, Filter, Shown, useLive } from '../live';
import { messages as common } from '../messages';
import { messages } from './messages';
import { SettingForm } from './SettingForm';

/** What is in force, why, and changing some of it. */
export function SettingsPage(): ReactNode {
  const say = useMessages(messages);
  const sayCommon = useMessages(common);
  const format = useFormat();
  const notify = useNotify();
  const confirm = useConfirm();
  const client = useQueryClient();
  const { language } = useLanguage();
  const hasRoom = useMediaQuery('(min-width: 1100px)', true);
  const [filter, setFilter] = useState('');
  const [isNarrowed, setNarrowed] = useState(false);
  const [edited, setEdited] = useState<Setting | null>(null);
  const settings = useLive(['settings'], (signal) => call('GET /api/v1/settings', { signal }), 10_000);
  const history = useLive(['history'], (signal) => call('GET /api/v1/settings/history', { signal }), 10_000);
  const refresh = (): void => {
    void client.invalidateQueries({ queryKey: ['admin', 'settings'] });
    void client.invalidateQueries({ queryKey: ['admin', 'history'] });
  };
  const reset = useMutation({
    mutationFn: (name: string) => call('DELETE /api/v1/settings/{name}', { path: { name } }),
    onSuccess: (_, name) => notify.done(say('wasReset', { name })),
    onError: notify.failed,
    onSettled: refresh,
  });

  async function askReset(name: string): Promise<void> {
    const yes = await confirm({
      title: say('resetTitle', { name }),
      text: say('resetText'),
      verb: say('reset'),
    });
    if (yes) reset.mutate(name);
  }

  function shown(setting: Pick<Setting, 'kind'>, value: unknown): string {
    if (value === null || value === undefined || value === '') return say('none');
    if (Array.isArray(value)) {
      if (value.length === 0) return say('none');
      if (value.every((one) => typeof one === 'string')) return value.join(', ');
      return say('entries', { count: value.length });
    }
    if (typeof value === 'boolean') return sayCommon(value ? 'yes' : 'no');
    if (typeof value === 'number') {
      if (setting.kind === 'bytes') return format.bytes(value);
      return setting.kind === 'seconds' ? `${format.number(value)}\u00A0s` : format.number(value);
    }
    return value === '…' ? say('withheld') : String(value);
  }

  function sourceOf(source: string): string {
    if (source === 'administration page') return say('here');
    if (source === 'default') return say('defaultSource');
    if (source === 'command line') return say('commandLine');
    if (source.startsWith('environment')) return say('environment');
    return source.startsWith('file') ? say('file') : source;
  }

  const columns: readonly Column<Setting>[] = [
    {
      key: 'name',
      title: say('name'),
      sortBy: (row) => row.name,
      render: (row) => (
        <Stack gap={0} maw={560}>
          <Text size="sm" ff="monospace">
            {row.name}
          </Text>
          <Text size="xs" c="dimmed">
            {language === 'fr' ? row.french : row.english}
          </Text>
        </Stack>
      ),
    },
    {
      key: 'value',
      title: say('value'),
      render: (row) => (
        <Stack gap={0}>
          <Text size="sm" fw={row.is_overridden ? 700 : 400} style={{ overflowWrap: 'anywhere' }}>
            {shown(row, row.value)}
          </Text>
          {JSON.stringify(row.value) === JSON.stringify(row.default) ? null : (
            <Text size="xs" c="dimmed">
              {say('defaultValue', { value: shown(row, row.default) })}
            </Text>
          )}
        </Stack>
      ),
    },
    {
      key: 'source',
      title: say('source'),
      sortBy: (row) => row.source,
      render: (row) => (
        <Badge
          variant={row.is_overridden ? 'filled' : 'default'}
          tt="none"
          radius="sm"
          fw={400}
          style={{ maxWidth: 'none' }}
          styles={{ label: { overflow: 'visible' } }}
          title={row.source}
        >
          {sourceOf(row.source)}
        </Badge>
      ),
    },
    {
      key: 'effect',
      title: say('effect'),
      render: (row) => (
        <Text size="xs" c="dimmed" miw={90}>
          {say(row.is_changeable ? 'atOnce' : 'atStart')}
        </Text>
      ),
    },
    {
      key: 'actions',
      title: sayCommon('actions'),
      isTitleHidden: true,
      align: 'right',
      render: (row) =>
        row.is_changeable ? (
          <Group gap={4} justify="flex-end" wrap="nowrap">
            {row.is_overridden ? (
              <Button size="compact-xs" variant="default" onClick={() => void askReset(row.name)}>
                {say('reset')}
              </Button>
            ) : null}
            <Button
              size="compact-xs"
              variant="light"
              aria-label={say('changeTitle', { name: row.name })}
              onClick={() => setEdited(row)}
            >
              {say('change')}
            </Button>
          </Group>
        ) : null,
    },
  ];
  const historyColumns: readonly Column<SettingChange>[] = [
    { key: 'when', title: say('when'), render: (row) => format.dateTime(row.changed_at) },
    { key: 'who', title: say('who'), render: (row) => row.changed_by },
    {
      key: 'name',
      title: say('name'),
      render: (row) => (
        <Text size="sm" ff="monospace">
          {row.name}
        </Text>
      ),
    },
    { key: 'before', title: say('before'), render: (row) => shown({ kind: 'text' }, row.old_value) },
    { key: 'after', title: say('after'), render: (row) => shown({ kind: 'text' }, row.new_value) },
  ];

  return (
    <Stack gap="sm">
      <PageHeader
        title={say('title')}
        description={say('description')}
        actions={
          <>
            <Switch
              label={say('changeable')}
              checked={isNarrowed}
              onChange={(event) => setNarrowed(event.currentTarget.checked)}
            />
            <Filter value={filter} onChange={setFilter} />
          </>
        }
      />
      <Panel isFlush>
        <Shown query={settings}>
          {(rows) => (
            <DataTable
              label={say('title')}
              rows={rows.filter(
                (row) =>
                  (!isNarrowed || row.is_changeable) && contains(filter, row.name, row.english, row.french),
              )}
              columns={hasRoom ? columns : columns.filter((column) => column.key !== 'effect')}
              rowKey={(row) => row.name}
            />
          )}
        </Shown>
      </Panel>
      <Panel title={say('history')} isFlush>
        <Shown query={history}>
          {(rows) => (
            <DataTable
              label={say('history')}
              rows={rows}
              columns={historyColumns}
              rowKey={(row) => String(row.id)}
              empty={<Empty title={say('noHistory')} />}
            />
          )}
        </Shown>
      </Panel>
      {edited === null ? null : (
        <SettingForm
          setting={edited}
          shown={(value) => shown(edited, value)}
          onClose={() => setEdited(null)}
          onSaved={(name) => {
            setEdited(null);
            notify.done(say('changed', { name }));
            refresh();
          }}
        />
      )}
    </Stack>
  );
}
