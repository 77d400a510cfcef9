import { Problem } from './problem';
import type { Operations } from './schema.gen';

export type OperationKey = keyof Operations;
export type Answer<K extends OperationKey> = Operations[K]['answer'];

type Part<Name extends string, T> = [T] extends [undefined]
  ? { readonly [K in Name]?: undefined }
  : Record<never, never> extends T
    ? { readonly [K in Name]?: T | undefined }
    : undefined extends T
      ? { readonly [K in Name]?: T }
      : { readonly [K in Name]: T };

/** What an operation needs: `path` and `query` parameters, `body`; and how to give up waiting. */
export type Input<K extends OperationKey> = Part<'path', Operations[K]['path']> &
  Part<'query', Operations[K]['query']> &
  Part<'body', Operations[K]['body']> & { readonly signal?: AbortSignal | undefined };

type Rest<K extends OperationKey> =
  Record<never, never> extends Input<K> ? [input?: Input<K>] : [input: Input<K>];

type Values = Readonly<Record<string, unknown>>;

/** Told of every answer: whether the server was reached, and whether it knows us. */
export type Listener = (event: 'reached' | 'unreachable' | 'unauthenticated') => void;

const listeners = new Set<Listener>();

/** Hear of the connection's fate; returns how to stop. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(event: Parameters<Listener>[0]): void {
  for (const listener of listeners) listener(event);
}

/** The address of an operation. */
export function addressOf(path: string, parameters: Values = {}, query: Values = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(parameters[name])),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === '') continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
  }
  const text = search.toString();
  return text === '' ? filled : `${filled}?${text}`;
}

/**
 * Fetch from our own server, with the session.
 *
 * @throws {Problem} Refused, or no answer.
 */
export async function request(address: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { credentials: 'same-origin', ...init });
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    tell('unreachable');
    throw Problem.unreachable();
  }
  if (response.ok) {
    tell('reached');
    return response;
  }
  const problem = await Problem.of(response);
  tell(problem.isTransient ? 'unreachable' : 'reached');
  if (problem.code === 'unauthenticated') tell('unauthenticated');
  throw problem;
}

/**
 * Call an operation of `/api/v1`.
 *
 * @example
 * const { studies } = await call('GET /api/v1/studies', { query: { text: 'dupont' }, signal });
 * @throws {Problem} Refused, or no answer.
 */
export async function call<K extends OperationKey>(operation: K, ...rest: Rest<K>): Promise<Answer<K>> {
  const input = (rest[0] ?? {}) as { path?: Values; query?: Values; body?: unknown; signal?: AbortSignal };
  const [method = 'GET', path = '/'] = operation.split(' ');
  const headers: Record<string, string> = { accept: 'application/json' };
  const init: RequestInit = { method, headers };
  if (input.signal !== undefined) init.signal = input.signal;
  if (input.body instanceof Blob) {
    init.body = input.body;
  } else if (input.body !== undefined) {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify(input.body);
  }
  const response = await request(addressOf(path, input.path, input.query), init);
  if (response.status === 204) return undefined as Answer<K>;
  const type = response.headers.get('content-type') ?? '';
  return (type.startsWith('application/json') ? await response.json() : await response.blob()) as Answer<K>;
}
