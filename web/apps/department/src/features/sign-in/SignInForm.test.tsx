// @vitest-environment jsdom
import { MantineProvider } from '@mantine/core';
import { LanguageProvider } from '@negatoscope/ui';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, it, vi } from 'vitest';
import { SignInForm } from './SignInForm';

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const WAYS = {
  local: true,
  local_is_for_emergencies: false,
  oidc: [],
  needs_setup: false,
  min_password_length: 12,
};

function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify({ code, title: code, status }), { status, headers });
}

/** The form, against a server that gives these answers to the attempts, in turn. */
function shown(answers: readonly Response[], ways: object = WAYS) {
  const attempts: unknown[] = [];
  const onDone = vi.fn();
  const left = [...answers];
  vi.stubGlobal('fetch', async (address: string, init: RequestInit) => {
    if (address.endsWith('/providers')) return Response.json(ways);
    attempts.push(JSON.parse(String(init.body)));
    return left.shift() ?? problem(500, 'internal-error');
  });
  render(
    <QueryClientProvider client={new QueryClient()}>
      <LanguageProvider language="en" onChange={() => undefined}>
        <MantineProvider>
          <SignInForm next="/studies?text=a" onDone={onDone} />
        </MantineProvider>
      </LanguageProvider>
    </QueryClientProvider>,
  );
  return { attempts, onDone, user: userEvent.setup({ delay: null }) };
}

it('asks for the code only when the account has one, and sends all three', async () => {
  const { attempts, onDone, user } = shown([
    problem(401, 'totp-required'),
    problem(401, 'invalid-credentials'),
    Response.json({ user: { name: 'ana' } }),
  ]);
  await user.type(screen.getByLabelText(/User name/), ' ana ');
  await user.type(screen.getByLabelText(/^Password/), 'quatre mots sans espace{Enter}');
  const code = await screen.findByLabelText(/Code of your authenticator/);
  expect(screen.queryByRole('alert')).toBeNull();
  await user.type(code, '123 456{Enter}');
  expect(await screen.findByText(/code is not right/)).toBeTruthy();
  await user.clear(code);
  await user.type(code, '654321{Enter}');
  await vi.waitFor(() => expect(onDone).toHaveBeenCalled());
  expect(attempts).toEqual([
    { name: 'ana', password: 'quatre mots sans espace' },
    { name: 'ana', password: 'quatre mots sans espace', totp: '123456' },
    { name: 'ana', password: 'quatre mots sans espace', totp: '654321' },
  ]);
});

it('counts down while the server takes no attempt', async () => {
  const { user } = shown([problem(429, 'too-many-attempts', { 'retry-after': '2' })]);
  await user.type(screen.getByLabelText(/User name/), 'ana');
  await user.type(screen.getByLabelText(/^Password/), 'x{Enter}');
  expect(await screen.findByText(/Try again in 2 seconds/)).toBeTruthy();
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Sign in' }).disabled).toBe(true);
  await vi.waitFor(
    () => expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Sign in' }).disabled).toBe(false),
    { timeout: 4000 },
  );
});

it('says the same whether the name or the password is wrong', async () => {
  const { user } = shown([problem(401, 'invalid-credentials')]);
  await user.type(screen.getByLabelText(/User name/), 'nobody');
  await user.type(screen.getByLabelText(/^Password/), 'x{Enter}');
  expect(await screen.findByText('That name and password do not go together.')).toBeTruthy();
});

it('offers the providers, which lead back to where one wanted to go', async () => {
  const provider = {
    name: 'hospital',
    display_name: 'Hôpital <b>X</b>',
    start: '/api/v1/session/oidc/hospital',
    available: true,
  };
  shown([], { ...WAYS, oidc: [provider] });
  const link = await screen.findByRole<HTMLAnchorElement>('link', { name: 'Sign in with Hôpital <b>X</b>' });
  expect(link.getAttribute('href')).toBe('/api/v1/session/oidc/hospital?next=%2Fstudies%3Ftext%3Da');
});
