import { Button } from '@mantine/core';
import { call } from '@negatoscope/api-client';
import { useMessages } from '@negatoscope/ui';
import { IconExternalLink } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { messages } from './messages';

/** What is open: one of the three. */
export type Open =
  | { readonly study_instance_uid: string }
  | { readonly patient_key: number }
  | { readonly registered_patient: number };

/** Other applications that show the same patient or examination; nothing where there are none. */
export function CallButtons(props: { readonly open: Open; readonly size?: string }): ReactNode {
  const say = useMessages(messages);
  const { open } = props;
  const offered = useQuery({
    queryKey: ['calls', open],
    queryFn: ({ signal }) => call('GET /api/v1/calls', { query: { ...open }, signal }),
    staleTime: 5 * 60_000,
    retry: false,
  });
  const query = new URLSearchParams(Object.entries(open).map(([name, value]) => [name, String(value)]));
  return (offered.data ?? []).map((one) => (
    <Button
      key={one.id}
      component="a"
      href={`/api/v1/calls/${one.id}/open?${query}`}
      target="_blank"
      rel="noopener noreferrer"
      variant="default"
      size={props.size ?? 'compact-sm'}
      rightSection={<IconExternalLink size={14} aria-hidden />}
      title={say('opensElsewhere', { name: one.label })}
    >
      {one.label}
    </Button>
  ));
}
