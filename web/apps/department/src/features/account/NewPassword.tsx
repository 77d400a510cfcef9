import { PasswordInput } from '@mantine/core';
import { useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { passwordMessages, whyRefused } from './passwords';

export interface Wanted {
  readonly password: string;
  readonly repeat: string;
}

/** A new password, typed twice; says the rule before and the reason after. */
export function NewPassword(props: {
  readonly value: Wanted;
  readonly onChange: (value: Wanted) => void;
  readonly label: string;
  readonly repeatLabel: string;
  /** Characters. */
  readonly least: number;
  readonly error: unknown;
  readonly size?: 'xs' | 'sm';
}): ReactNode {
  const { value, onChange, least } = props;
  const say = useMessages(passwordMessages);
  const refused = whyRefused(props.error, say, least);
  const differs = value.repeat !== '' && value.repeat !== value.password;
  const size = props.size ?? 'xs';
  return (
    <>
      <PasswordInput
        size={size}
        label={props.label}
        description={say('rule', { count: least })}
        autoComplete="new-password"
        required
        minLength={least}
        maxLength={1000}
        value={value.password}
        error={refused}
        onChange={(event) => onChange({ ...value, password: event.currentTarget.value })}
      />
      <PasswordInput
        size={size}
        label={props.repeatLabel}
        autoComplete="new-password"
        required
        maxLength={1000}
        value={value.repeat}
        error={differs ? say('differ') : null}
        onChange={(event) => onChange({ ...value, repeat: event.currentTarget.value })}
      />
    </>
  );
}
