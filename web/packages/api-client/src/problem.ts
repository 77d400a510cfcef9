/** A refusal (RFC 9457). Decide on `code`; `title` and `detail` are for people, in English. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  /** Published in docs/http.md; `unreachable` when no answer came at all. */
  readonly code: string;
  readonly title: string;
  readonly detail: string | undefined;
  /** Seconds after which another try makes sense. */
  readonly retryAfter: number | undefined;
  /** The whole document, with the members that belong to this code only. */
  readonly document: Readonly<Record<string, unknown>>;

  constructor(status: number, document: Readonly<Record<string, unknown>>, retryAfter?: number) {
    const code = typeof document['code'] === 'string' ? document['code'] : `status-${status}`;
    const title = typeof document['title'] === 'string' ? document['title'] : code;
    super(title);
    this.status = status;
    this.code = code;
    this.title = title;
    this.detail = typeof document['detail'] === 'string' ? document['detail'] : undefined;
    this.retryAfter = retryAfter;
    this.document = document;
  }

  /** Whether the same request may succeed a little later without anybody doing anything. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }

  static async of(response: Response): Promise<Problem> {
    let document: Record<string, unknown> = {};
    try {
      const body: unknown = await response.json();
      if (typeof body === 'object' && body !== null) document = body as Record<string, unknown>;
    } catch {
      // Not from us: a proxy's page, or cut short.
    }
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return new Problem(response.status, document, Number.isFinite(seconds) ? seconds : undefined);
  }

  static unreachable(): Problem {
    return new Problem(0, { code: 'unreachable', title: 'The server does not answer' });
  }
}
