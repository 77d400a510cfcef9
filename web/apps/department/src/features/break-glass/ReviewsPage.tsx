import { Anchor, Button, Drawer, Group, SegmentedControl, Stack, Text, Textarea } from '@mantine/core';
import { type Break, call, type Seen } from '@negatoscope/api-client';
import {
  type Column,
  DataTable,
  Failure,
  PageHeader,
  Panel,
  useFormat,
  useMessages,
  useNotify,
} from '@negatoscope/ui';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { StateBadge } from '../admin/live';
import { Listed } from '../identity/Listed';
import { messages } from './messages';

const KEY = ['break-glass'];

/** Emergency accesses, and their review. */
export function ReviewsPage(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const [shown, setShown] = useState('pending');
  const [opened, setOpened] = useState<number | null>(null);
  const pending = shown === 'pending';
  const breaks = useQuery({
    queryKey: [...KEY, { pending }],
    queryFn: ({ signal }) => call('GET /api/v1/break-glass', { query: { pending }, signal }),
  });
  const columns: readonly Column<Break>[] = [
    {
      key: 'who',
      title: say('who'),
      sortBy: (row) => row.user_name,
      render: (row) => (
        <Anchor component="button" size="sm" onClick={() => setOpened(row.id)}>
          {row.user_display_name || row.user_name}
        </Anchor>
      ),
    },
    { key: 'patient', title: say('patient'), render: (row) => row.patient_id ?? '' },
    { key: 'reason', title: say('reason'), render: (row) => row.reason },
    {
      key: 'when',
      title: say('when'),
      sortBy: (row) => row.started_at,
      render: (row) => format.dateTime(row.started_at),
    },
    {
      key: 'state',
      title: say('state'),
      sortBy: (row) => row.reviewed_at,
      render: (row) => (
        <StateBadge state={row.reviewed_at === null ? 'failed' : 'ok'}>
          {row.reviewed_at === null ? say('waiting') : say('reviewed', { name: row.reviewed_by ?? '' })}
        </StateBadge>
      ),
    },
  ];
  return (
    <>
      <PageHeader
        title={say('reviews')}
        description={say('reviewsText')}
        actions={
          <SegmentedControl
            size="xs"
            aria-label={say('state')}
            value={shown}
            onChange={setShown}
            data={[
              { value: 'pending', label: say('pending') },
              { value: 'all', label: say('all') },
            ]}
          />
        }
      />
      <Panel isFlush>
        <Listed query={breaks}>
          {(rows) => (
            <DataTable
              label={say('reviews')}
              rows={rows}
              columns={columns}
              rowKey={(row) => String(row.id)}
              onOpen={(row) => setOpened(row.id)}
            />
          )}
        </Listed>
      </Panel>
      <Drawer
        opened={opened !== null}
        onClose={() => setOpened(null)}
        position="right"
        size="xl"
        title={say('title')}
        closeButtonProps={{ 'aria-label': say('close') }}
      >
        {opened === null ? null : <Detail number={opened} onDone={() => setOpened(null)} />}
      </Drawer>
    </>
  );
}

function Detail(props: { readonly number: number; readonly onDone: () => void }): ReactNode {
  const { number } = props;
  const say = useMessages(messages);
  const format = useFormat();
  const detail = useQuery({
    queryKey: [...KEY, number],
    queryFn: ({ signal }) => call('GET /api/v1/break-glass/{number}', { path: { number }, signal }),
  });
  const columns: readonly Column<Seen>[] = [
    {
      key: 'study',
      title: say('study'),
      render: (row) => (
        <Text size="xs" miw={120} style={{ overflowWrap: 'anywhere', whiteSpace: 'normal' }}>
          {row.study_instance_uid}
        </Text>
      ),
    },
    { key: 'action', title: say('action'), render: (row) => row.action },
    { key: 'first', title: say('first'), render: (row) => format.dateTime(row.first_at) },
    { key: 'last', title: say('last'), render: (row) => format.dateTime(row.last_at) },
    { key: 'count', title: say('count'), align: 'right', render: (row) => format.number(row.count) },
  ];
  return (
    <Listed query={detail}>
      {({ access, seen }) => (
        <Stack gap="sm">
          <Text size="sm">
            <b>{access.user_display_name || access.user_name}</b> · {format.dateTime(access.started_at)} ·{' '}
            {say('from')} {access.peer}
          </Text>
          <Text size="sm">{access.reason}</Text>
          <Panel title={say('seen')} isFlush>
            <DataTable
              label={say('seen')}
              rows={seen}
              columns={columns}
              rowKey={(row) => `${row.study_instance_uid} ${row.action}`}
              empty={say('nothing')}
            />
          </Panel>
          {access.reviewed_at === null ? (
            <Review number={number} onDone={props.onDone} />
          ) : (
            <Text size="sm">
              {say('reviewed', { name: access.reviewed_by ?? '' })} · {format.dateTime(access.reviewed_at)} ·{' '}
              {access.review}
            </Text>
          )}
        </Stack>
      )}
    </Listed>
  );
}

function Review(props: { readonly number: number; readonly onDone: () => void }): ReactNode {
  const say = useMessages(messages);
  const notify = useNotify();
  const client = useQueryClient();
  const [comment, setComment] = useState('');
  const review = useMutation({
    mutationFn: () =>
      call('POST /api/v1/break-glass/{number}/review', {
        path: { number: props.number },
        body: { comment },
      }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: KEY });
      notify.done(say('done'));
      props.onDone();
    },
  });

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    if (comment.trim() !== '' && !review.isPending) review.mutate();
  }

  return (
    <form onSubmit={onSubmit}>
      <Stack gap="sm">
        {review.isError ? <Failure error={review.error} /> : null}
        <Textarea
          label={say('comment')}
          required
          autosize
          minRows={2}
          maxLength={1000}
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button type="submit" loading={review.isPending} disabled={comment.trim() === ''}>
            {say('review')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
