import { Anchor } from '@mantine/core';
import { Empty, useMessages } from '@negatoscope/ui';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { messages } from './messages';

/** No route has this address. */
export function NotFound(): ReactNode {
  const say = useMessages(messages);
  return (
    <Empty title={say('notFound')} action={<Home />}>
      {say('notFoundHint')}
    </Empty>
  );
}

/** The route needs a function that this account does not have. */
export function NotAllowed(): ReactNode {
  const say = useMessages(messages);
  return (
    <Empty title={say('notAllowed')} action={<Home />}>
      {say('notAllowedHint')}
    </Empty>
  );
}

function Home(): ReactNode {
  const say = useMessages(messages);
  return (
    <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/" />}>
      {say('home')}
    </Anchor>
  );
}
