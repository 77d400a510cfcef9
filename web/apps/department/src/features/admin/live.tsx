import { Badge, TextInput } from '@mantine/core';
import { Failure, Loading, useMessages } from '@negatoscope/ui';
import { IconSearch } from '@tabler/icons-react';
import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { messages } from './messages';

/** What is fetched again and again while the page is seen; the former answer stays until the next. */
export function useLive<T>(
  key: readonly unknown[],
  fetch: (signal: AbortSignal) => Promise<T>,
  everyMs = 4000,
): UseQueryResult<T> {
  return useQuery({
    queryKey: ['admin', ...key],
    queryFn: ({ signal }) => fetch(signal),
    refetchInterval: everyMs,
    refetchIntervalInBackground: false,
    placeholderData: keepPreviousData,
    staleTime: 0,
  }) as UseQueryResult<T>;
}

/** Waiting, failed, or there. An answer that came once is shown beside a later failure. */
export function Shown<T>(props: {
  readonly query: UseQueryResult<T>;
  readonly children: (data: T) => ReactNode;
}): ReactNode {
  const { query } = props;
  return (
    <>
      {query.isError ? <Failure error={query.error} onRetry={() => void query.refetch()} /> : null}
      {query.data === undefined ? query.isError ? null : <Loading /> : props.children(query.data)}
    </>
  );
}

/** A text that rows must contain. */
export function Filter(props: {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly label?: string;
}): ReactNode {
  const say = useMessages(messages);
  const label = props.label ?? say('filter');
  return (
    <TextInput
      type="search"
      w={220}
      leftSection={<IconSearch size={14} aria-hidden />}
      placeholder={label}
      aria-label={label}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

/** Whether any of some values contains a text, whatever the case and the accents. */
export function contains(text: string, ...values: readonly (string | number | null | undefined)[]): boolean {
  const wanted = fold(text.trim());
  return wanted === '' || values.some((value) => fold(String(value ?? '')).includes(wanted));
}

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

const COLORS: Readonly<Record<string, string>> = {
  ok: 'teal',
  warning: 'orange',
  failed: 'red',
  neutral: 'gray',
};

/** A state in one word; the colour says it again. */
export function StateBadge(props: {
  readonly state: 'ok' | 'warning' | 'failed' | 'neutral';
  readonly children: ReactNode;
}): ReactNode {
  return (
    <Badge
      variant="light"
      color={COLORS[props.state] ?? 'gray'}
      tt="none"
      radius="sm"
      style={{ flexShrink: 0, maxWidth: 'none' }}
      styles={{
        label: {
          overflow: 'visible',
          // Orange letters on orange are too faint to read.
          ...(props.state === 'warning' ? { color: 'var(--mantine-color-text)' } : {}),
        },
      }}
    >
      {props.children}
    </Badge>
  );
}
