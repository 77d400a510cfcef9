import { Alert, Anchor, Badge, Button, Chip, FileButton, Group, Progress, Stack, Text } from '@mantine/core';
import { Loading, PageHeader, type Say, useFormat, useMessages, useNotify } from '@negatoscope/ui';
import { IconFolderOpen, IconUpload } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type DragEvent, type ReactNode, useRef, useState, useSyncExternalStore } from 'react';
import { viewerAddress } from '../studies/opening';
import { chosen, dropped, type Found } from './files';
import { messages } from './messages';
import type { Upload, UploadState } from './queue';
import { uploadQueue } from './sending';
import classes from './UploadPage.module.css';

const ROW_PX = 30;
const COLORS: Readonly<Record<UploadState, string>> = {
  waiting: 'gray',
  sending: 'blue',
  stored: 'teal',
  aside: 'yellow',
  failed: 'red',
  cancelled: 'gray',
};

/** Files from this computer into the archive. */
export function UploadPage(): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const notify = useNotify();
  useSyncExternalStore(uploadQueue.subscribe, uploadQueue.version);
  const [isOver, setOver] = useState(false);
  const [isReading, setReading] = useState(false);
  const [onlyProblems, setOnlyProblems] = useState(false);
  const folder = useRef<HTMLInputElement>(null);
  const totals = uploadQueue.totals();
  const left = totals.by.waiting + totals.by.sending;
  const problems = totals.by.failed + totals.by.aside + totals.by.cancelled;
  const shown = onlyProblems
    ? uploadQueue.uploads.filter((one) => ['failed', 'aside', 'cancelled'].includes(one.state))
    : uploadQueue.uploads;

  function take(found: readonly Found[]): void {
    if (found.length === 0) notify.info(say('none'));
    else uploadQueue.add(found);
  }

  async function onDrop(event: DragEvent): Promise<void> {
    event.preventDefault();
    setOver(false);
    setReading(true);
    try {
      take(await dropped(event.dataTransfer));
    } catch (error) {
      notify.failed(error);
    } finally {
      setReading(false);
    }
  }

  return (
    <div className={classes['page'] ?? ''}>
      <PageHeader title={say('title')} description={say('about')} />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the buttons inside do the same */}
      <div
        className={classes['drop'] ?? ''}
        data-over={isOver || undefined}
        data-small={totals.count > 0 || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => void onDrop(event)}
      >
        {isReading ? (
          <Loading label={say('reading')} />
        ) : (
          <Group justify="center" gap="sm">
            <IconUpload size={20} stroke={1.4} aria-hidden />
            <Text size="sm">
              {say('drop')} {say('or')}
            </Text>
            <FileButton multiple onChange={(files) => take(chosen(files))}>
              {(button) => <Button {...button}>{say('chooseFiles')}</Button>}
            </FileButton>
            <Button
              variant="default"
              leftSection={<IconFolderOpen size={14} aria-hidden />}
              onClick={() => folder.current?.click()}
            >
              {say('chooseFolder')}
            </Button>
            <input
              ref={folder}
              type="file"
              hidden
              multiple
              // @ts-expect-error known to every browser, not to the types
              webkitdirectory=""
              aria-label={say('chooseFolder')}
              onChange={(event) => {
                take(chosen(event.currentTarget.files ?? []));
                event.currentTarget.value = '';
              }}
            />
          </Group>
        )}
      </div>
      {totals.count === 0 ? null : (
        <>
          {uploadQueue.needsSignIn ? (
            <Alert color="yellow" variant="light" p={8}>
              {say('signIn')}
            </Alert>
          ) : null}
          {uploadQueue.waitsUntil === null ? null : (
            <Alert color="yellow" variant="light" p={8} role="status">
              {say('connectionLost')}
            </Alert>
          )}
          <Stack gap={4}>
            <Progress
              value={totals.bytes === 0 ? 100 : (100 * totals.doneBytes) / totals.bytes}
              color={problems > 0 && left === 0 ? 'yellow' : 'teal'}
              aria-label={say('title')}
            />
            <Group gap={10} justify="space-between">
              <Group gap={10} role="status">
                <Text size="sm" fw={600}>
                  {left === 0
                    ? say('finished')
                    : say('progress', {
                        done: format.bytes(totals.doneBytes),
                        bytes: format.bytes(totals.bytes),
                      })}
                </Text>
                <Text size="sm">{say('countStored', { count: totals.by.stored })}</Text>
                {totals.by.aside > 0 ? (
                  <Text size="sm">{say('countAside', { count: totals.by.aside })}</Text>
                ) : null}
                {totals.by.failed > 0 ? (
                  <Text size="sm" c="red">
                    {say('countFailed', { count: totals.by.failed })}
                  </Text>
                ) : null}
                {left > 0 ? <Text size="sm">{say('countLeft', { count: left })}</Text> : null}
              </Group>
              <Group gap={6}>
                {problems > 0 ? (
                  <Chip size="xs" checked={onlyProblems} onChange={setOnlyProblems}>
                    {say('onlyProblems')}
                  </Chip>
                ) : null}
                {left === 0 ? null : uploadQueue.isPaused || uploadQueue.needsSignIn ? (
                  <Button onClick={() => uploadQueue.resume()}>{say('resume')}</Button>
                ) : (
                  <Button variant="default" onClick={() => uploadQueue.pause()}>
                    {say('pause')}
                  </Button>
                )}
                {left > 0 ? (
                  <Button variant="default" onClick={() => uploadQueue.cancel()}>
                    {say('cancel')}
                  </Button>
                ) : null}
                {totals.by.failed + totals.by.cancelled > 0 ? (
                  <Button variant="default" onClick={() => uploadQueue.retry()}>
                    {say('retryAll')}
                  </Button>
                ) : null}
                {left < totals.count ? (
                  <Button variant="default" onClick={() => uploadQueue.clear()}>
                    {say('clear')}
                  </Button>
                ) : null}
              </Group>
            </Group>
          </Stack>
          <Rows uploads={shown} />
        </>
      )}
    </div>
  );
}

function Rows(props: { readonly uploads: readonly Upload[] }): ReactNode {
  const say = useMessages(messages);
  const format = useFormat();
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: props.uploads.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
  });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section ref={scroll} className={classes['rows'] ?? ''} tabIndex={0} aria-label={say('result')}>
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map((item) => {
          const one = props.uploads[item.index];
          if (one === undefined) return null;
          return (
            <div
              key={one.id}
              className={classes['row'] ?? ''}
              style={{ transform: `translateY(${item.start}px)` }}
              data-state={one.state}
            >
              <span title={one.path}>{one.path}</span>
              <span className={classes['size'] ?? ''}>{format.bytes(one.file.size)}</span>
              <span>
                {one.state === 'sending' ? (
                  <Progress
                    w={86}
                    value={one.file.size === 0 ? 0 : (100 * one.sent) / one.file.size}
                    aria-label={one.path}
                  />
                ) : (
                  <Badge size="sm" radius="sm" variant="light" tt="none" color={COLORS[one.state]}>
                    {say(one.state)}
                  </Badge>
                )}
              </span>
              <span title={one.reason ?? undefined}>
                {one.reason === null ? null : reasonOf(one.reason, say)}
                {one.study === null ? null : (
                  <Anchor size="xs" href={viewerAddress([one.study])}>
                    {say('openStudy')}
                  </Anchor>
                )}
              </span>
              <span>
                {one.state === 'failed' || one.state === 'cancelled' ? (
                  <Button size="compact-xs" variant="default" onClick={() => uploadQueue.retry(one)}>
                    {say('retry')}
                  </Button>
                ) : null}
              </span>
            </div>
          );
        })}
      </div>
    </section>
  );
}

const REASONS = ['C000', 'C001', 'C002', 'C003', 'C004', 'C005', 'A700', 'A900', '0117', 'B000'] as const;

function reasonOf(reason: string, say: Say<(typeof messages)['en']>): string {
  const known = REASONS.find((one) => one === reason);
  if (known !== undefined) return say(`reason_${known}`);
  if (reason === 'file-gone') return say('reason_gone');
  if (reason === 'forbidden') return say('reason_forbidden');
  return say('reason_other', { code: reason });
}
