import { ActionIcon, Alert, Button, Chip, CopyButton, Group, Text, TextInput, Tooltip } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { call } from '@negatoscope/api-client';
import { CopyText, Failure, Loading, PageHeader, useFormat, useMessages } from '@negatoscope/ui';
import { IconChevronDown, IconChevronRight, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useMemo, useRef, useState } from 'react';
import { type HeaderLine, linesOf, matching } from './headerLines';
import { messages } from './messages';
import classes from './PatientPage.module.css';

const LINE_PX = 24;
const UID = /^[0-9.]{1,64}$/;

/** Everything an instance says of itself, line by line; beside another one to see what differs. */
export function HeaderPage(): ReactNode {
  const { uid = '' } = useParams({ strict: false });
  const say = useMessages(messages);
  const format = useFormat();
  const scroll = useRef<HTMLDivElement>(null);
  const [text, setText] = useState('');
  const [wanted] = useDebouncedValue(text, 120);
  const [privates, setPrivates] = useState(false);
  const [differences, setDifferences] = useState(false);
  const [otherUid, setOtherUid] = useState('');
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const header = useHeader(uid);
  const other = useHeader(otherUid.trim());
  const lines = useMemo(
    () => (header.data === undefined ? [] : linesOf(header.data, other.data ?? null)),
    [header.data, other.data],
  );
  const isTwo = other.data !== undefined;
  const found = useMemo(
    () => matching(lines, wanted, { privates, differences: differences && isTwo }),
    [lines, wanted, privates, differences, isTwo],
  );
  const shown = useMemo(
    () => found.filter((one) => !one.parents.some((parent) => closed.has(parent))),
    [found, closed],
  );
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => LINE_PX,
    overscan: 20,
  });

  if (header.isPending) return <Loading />;
  if (header.isError) return <Failure error={header.error} onRetry={() => void header.refetch()} />;
  const { data } = header;

  function toggle(path: string): void {
    const next = new Set(closed);
    if (!next.delete(path)) next.add(path);
    setClosed(next);
  }

  return (
    <div className={classes['page'] ?? ''}>
      <PageHeader
        title={say('headerTitle')}
        description={`${data.sop_class_name} · ${data.transfer_syntax_name} · ${format.bytes(data.size)}`}
        actions={<CopyText text={data.sop_instance_uid} />}
      />
      <Group gap={8}>
        <TextInput
          type="search"
          flex="1 1 220px"
          maw={380}
          aria-label={say('headerSearch')}
          placeholder={say('headerSearch')}
          leftSection={<IconSearch size={14} aria-hidden />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Chip size="xs" checked={privates} onChange={setPrivates}>
          {say('privateOnly')}
        </Chip>
        <TextInput
          flex="1 1 220px"
          maw={340}
          aria-label={say('compareWith')}
          placeholder={say('compareWithHint')}
          value={otherUid}
          error={other.isError && otherUid !== ''}
          maxLength={64}
          onChange={(event) => setOtherUid(event.currentTarget.value)}
        />
        {isTwo ? (
          <Chip size="xs" checked={differences} onChange={setDifferences}>
            {say('differences')}
          </Chip>
        ) : null}
        <CopyButton value={textOf(shown)}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {say(copied ? 'copied' : 'copyAll')}
            </Button>
          )}
        </CopyButton>
        <Text size="xs" c="dimmed" role="status">
          {say('headerShown', { shown: found.length, count: lines.length })}
          {isTwo ? ` · ${say('differ', { count: lines.filter((one) => one.differs).length })}` : ''}
        </Text>
      </Group>
      {data.is_cut || data.problem !== null ? (
        <Alert color="yellow" variant="light" p={8}>
          <Text size="xs">
            {data.problem === null ? say('headerCut') : say('headerProblem', { reason: data.problem })}
          </Text>
        </Alert>
      ) : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
      <section ref={scroll} className={classes['lines'] ?? ''} tabIndex={0} aria-label={say('headerTitle')}>
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map((item) => {
            const one = shown[item.index];
            return one === undefined ? null : (
              <Line
                key={`${item.index} ${one.path}`}
                line={one}
                top={item.start}
                isTwo={isTwo}
                isClosed={closed.has(one.path)}
                onToggle={() => toggle(one.path)}
              />
            );
          })}
        </div>
        {shown.length === 0 ? (
          <Text size="sm" c="dimmed" ta="center" p="lg">
            {say('noLine')}
          </Text>
        ) : null}
      </section>
    </div>
  );
}

function useHeader(uid: string) {
  return useQuery({
    queryKey: ['header', uid],
    enabled: UID.test(uid),
    staleTime: 60_000,
    queryFn: ({ signal }) =>
      call('GET /api/v1/instances/{sop_instance_uid}/header', { path: { sop_instance_uid: uid }, signal }),
  });
}

function Line(props: {
  readonly line: HeaderLine;
  readonly top: number;
  readonly isTwo: boolean;
  readonly isClosed: boolean;
  readonly onToggle: () => void;
}): ReactNode {
  const { line, isTwo } = props;
  const { element } = line;
  const say = useMessages(messages);
  const format = useFormat();
  const number =
    element.kind === 'item'
      ? say('item', { number: element.number })
      : say('fragment', { number: element.number });
  const name = nameOf(line, say('unknownPrivate'));
  return (
    <div
      className={classes['line'] ?? ''}
      style={{ transform: `translateY(${props.top}px)` }}
      data-two={isTwo || undefined}
      data-differs={(isTwo && line.differs) || undefined}
      data-private={line.isPrivate || undefined}
    >
      <span>
        {line.hasChildren ? (
          <ActionIcon size={18} onClick={props.onToggle} aria-label={name} aria-expanded={!props.isClosed}>
            {props.isClosed ? <IconChevronRight size={12} /> : <IconChevronDown size={12} />}
          </ActionIcon>
        ) : null}
      </span>
      <span style={{ paddingLeft: element.depth * 10 }}>
        {element.tag === '' ? number : <code>{element.tag}</code>}
      </span>
      <span>{element.vr}</span>
      <span style={{ textAlign: 'right' }}>
        {element.length === null ? '–' : format.number(element.length)}
      </span>
      <span title={[name, element.creator].filter(Boolean).join(' — ')}>{name}</span>
      <span className={classes['value'] ?? ''} title={element.value}>
        {element.value}
        {element.is_cut ? (
          <Tooltip label={say('cut')}>
            <span>…</span>
          </Tooltip>
        ) : null}
      </span>
      {isTwo ? (
        <span className={classes['value'] ?? ''} title={line.other ?? ''}>
          {line.other}
        </span>
      ) : null}
    </div>
  );
}

function nameOf({ element, isPrivate }: HeaderLine, unknown: string): string {
  if (element.name !== null) return element.name;
  if (element.creator !== null) return `[${element.creator}]`;
  return isPrivate ? unknown : (element.keyword ?? '');
}

function textOf(lines: readonly HeaderLine[]): string {
  return lines
    .map(({ element }) =>
      [
        '  '.repeat(element.depth) + (element.tag === '' ? `#${element.number}` : element.tag),
        element.vr,
        element.keyword ?? element.name ?? element.creator ?? '',
        element.value,
      ].join('\t'),
    )
    .join('\n');
}
