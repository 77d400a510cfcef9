import { Badge, Button } from '@mantine/core';
import { call, type Link } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  PageHeader,
  Panel,
  useConfirm,
  useFormat,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Listed } from './Listed';
import { messages } from './messages';

const KEY = ['links'];

/** Links one made; all of them for administrators. */
export function LinksPage(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  const confirm = useConfirm();
  const client = useQueryClient();
  const links = useQuery({ queryKey: KEY, queryFn: ({ signal }) => call('GET /api/v1/links', { signal }) });
  const revoke = useMutation({
    mutationFn: (number: number) => call('DELETE /api/v1/links/{number}', { path: { number } }),
    onError: notify.failed,
    onSettled: () => void client.invalidateQueries({ queryKey: KEY }),
  });

  async function ask(number: number): Promise<void> {
    const yes = await confirm({
      title: say('linkTitle'),
      text: say('linkText'),
      verb: say('revoke'),
      isDangerous: true,
    });
    if (yes) revoke.mutate(number);
  }

  const columns: readonly Column<Link>[] = [
    {
      key: 'study',
      title: say('study'),
      render: (row) => (
        <a href={`/viewer?studyUID=${encodeURIComponent(row.study_instance_uid)}`}>
          {row.study_instance_uid}
        </a>
      ),
    },
    { key: 'for', title: say('description'), render: (row) => row.description },
    { key: 'by', title: say('madeBy'), sortBy: (row) => row.created_by, render: (row) => row.created_by },
    {
      key: 'expires',
      title: say('expires'),
      sortBy: (row) => row.expires_at,
      render: (row) => format.dateTime(row.expires_at),
    },
    {
      key: 'uses',
      title: say('uses'),
      align: 'right',
      sortBy: (row) => row.use_count,
      render: (row) => (row.max_uses === null ? row.use_count : `${row.use_count} / ${row.max_uses}`),
    },
    { key: 'pin', title: say('pin'), render: (row) => say(row.has_pin ? 'yes' : 'no') },
    {
      key: 'state',
      title: say('state'),
      render: (row) => (
        <Badge size="sm" variant="light" tt="none" color={isGood(row) ? 'teal' : 'gray'}>
          {say(row.revoked_at !== null ? 'revoked' : isGood(row) ? 'good' : 'over')}
        </Badge>
      ),
    },
    {
      key: 'revoke',
      title: say('revoke'),
      isTitleHidden: true,
      align: 'right',
      render: (row) =>
        isGood(row) ? (
          <Button size="compact-xs" variant="default" onClick={() => void ask(row.id)}>
            {say('revoke')}
          </Button>
        ) : null,
    },
  ];
  return (
    <>
      <PageHeader title={say('links')} description={say('linksText')} />
      <Panel isFlush>
        <Listed query={links}>
          {(rows) => (
            <DataTable label={say('links')} rows={rows} columns={columns} rowKey={(row) => String(row.id)} />
          )}
        </Listed>
      </Panel>
    </>
  );
}

function isGood(link: Link): boolean {
  const isUsedUp = link.max_uses !== null && link.use_count >= link.max_uses;
  return link.revoked_at === null && !isUsedUp && Date.parse(link.expires_at) > Date.now();
}
