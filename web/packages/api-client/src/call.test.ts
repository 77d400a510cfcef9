import { afterEach, describe, expect, it, vi } from 'vitest';
import { addressOf, call, listen, Problem } from './index';

afterEach(() => vi.unstubAllGlobals());

function answering(response: Response | Error) {
  const fetch = vi.fn(() =>
    response instanceof Error ? Promise.reject(response) : Promise.resolve(response),
  );
  vi.stubGlobal('fetch', fetch);
  return fetch;
}

describe('addressOf', () => {
  it('escapes every value and leaves out what is empty', () => {
    const address = addressOf(
      '/api/v1/users/{name}/tokens',
      { name: '../a b?' },
      { text: 'é&x', first: null, none: '' },
    );
    expect(address).toBe('/api/v1/users/..%2Fa%20b%3F/tokens?text=%C3%A9%26x');
  });
});

describe('call', () => {
  it('sends what the operation takes and gives what it answers', async () => {
    const fetch = answering(Response.json({ studies: [], total: 0 }));
    const answer = await call('GET /api/v1/studies', { query: { text: 'dupont', limit: 10 } });
    expect(answer.total).toBe(0);
    expect(fetch).toHaveBeenCalledWith(
      '/api/v1/studies?text=dupont&limit=10',
      expect.objectContaining({ method: 'GET', credentials: 'same-origin' }),
    );
  });

  it('gives a refusal as a problem with its code', async () => {
    answering(
      new Response('{"code":"too-many-attempts","title":"Too many failed sign-ins","status":429}', {
        status: 429,
        headers: { 'content-type': 'application/problem+json', 'retry-after': '7' },
      }),
    );
    const problem = await call('GET /api/v1/me').catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({
      code: 'too-many-attempts',
      status: 429,
      retryAfter: 7,
      isTransient: false,
    });
  });

  it('tells who listens whether the server was reached', async () => {
    const events: string[] = [];
    const stop = listen((event) => events.push(event));
    answering(new TypeError('failed to fetch'));
    await expect(call('GET /api/v1/me')).rejects.toMatchObject({ code: 'unreachable', isTransient: true });
    answering(new Response('<html>bad gateway</html>', { status: 502 }));
    await expect(call('GET /api/v1/me')).rejects.toMatchObject({ code: 'status-502' });
    answering(Response.json({ code: 'unauthenticated' }, { status: 401 }));
    await expect(call('GET /api/v1/me')).rejects.toMatchObject({ status: 401 });
    stop();
    expect(events).toEqual(['unreachable', 'unreachable', 'reached', 'unauthenticated']);
  });
});
