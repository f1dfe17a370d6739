import { describe, expect, it } from 'vitest';
import { queryString, Sa800Client, Sa800Error } from '../src/index.js';

function answering(status: number, body: string, seen: Request[] = []): Sa800Client {
  return new Sa800Client({
    baseUrl: 'http://box.test',
    fetch: async (input, init) => {
      seen.push(new Request(input, init));
      return new Response(status === 204 ? null : body, { status });
    },
  });
}

async function failure(promise: Promise<unknown>): Promise<Sa800Error> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Sa800Error);
  return error as Sa800Error;
}

describe('errors', () => {
  it('carry key, message, hint, fields and status', async () => {
    const field = { path: 'c', message: 'y', key: 'no_menu', values: { name: 'sale' } };
    const body = {
      error: { key: 'config.reference', message: 'm', hint: 'h', fields: [{ path: 'a/b', message: 'x' }, field] },
    };
    const error = await failure(answering(409, JSON.stringify(body)).config.get());
    expect(error).toMatchObject({ key: 'config.reference', message: 'm', hint: 'h', status: 409, unavailable: false });
    expect(error.fields).toEqual([{ path: 'a/b', message: 'x', key: '', values: {} }, field]);
  });

  it('make sense of an answer that is not ours', async () => {
    const error = await failure(answering(502, '<html>Bad gateway</html>').session.get());
    expect(error).toMatchObject({ key: 'http.502', status: 502, hint: '', unavailable: true });
  });

  it('tell a manager that is away from what the manager says is away', async () => {
    const told = async (key: string) =>
      failure(answering(503, JSON.stringify({ error: { key, message: 'm' } })).session.get());
    expect(await told('agent.unavailable')).toMatchObject({ unavailable: true, managerAway: true });
    expect(await told('lines.driver')).toMatchObject({ unavailable: true, managerAway: false });
    expect(await failure(answering(504, '').session.get())).toMatchObject({ unavailable: true, managerAway: true });
  });

  it('tell an unreachable box from a slow one', async () => {
    const refused = new Sa800Client({ fetch: () => Promise.reject(new TypeError('refused')) });
    expect(await failure(refused.session.get())).toMatchObject({ key: 'network.unreachable', status: 0 });
    const stuck = new Sa800Client({
      fetch: (_url, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(new DOMException('stop', 'AbortError')));
        }),
    });
    const caller = new AbortController();
    const pending = failure(stuck.records.list({}, caller.signal));
    caller.abort();
    expect(await pending).toMatchObject({ key: 'request.aborted', unavailable: false });
  });

  it('are told to the listener before they are thrown', async () => {
    const heard: string[] = [];
    const client = new Sa800Client({
      fetch: async () => new Response('{"error":{"key":"session.none","message":"log in"}}', { status: 401 }),
      onError: (error) => heard.push(error.key),
    });
    expect((await failure(client.session.get())).unauthenticated).toBe(true);
    expect(heard).toEqual(['session.none']);
  });
});

describe('requests', () => {
  it('escape ids in paths and leave empty filters out', async () => {
    const seen: Request[] = [];
    await answering(200, '{"items":[],"total":0}', seen).records.get('../users?x=1#y');
    expect(seen[0]?.url).toBe('http://box.test/api/v1/records/..%2Fusers%3Fx%3D1%23y');
    expect(queryString({ a: 1, b: '', c: undefined, d: 'x y&z', e: false })).toBe('?a=1&d=x+y%26z&e=false');
  });

  it('send the revision an edit is based on', async () => {
    const seen: Request[] = [];
    await answering(200, '{"revision":8}', seen).config.remove('queues', 'sales', 7);
    expect(seen[0]?.method).toBe('DELETE');
    expect(seen[0]?.headers.get('If-Match')).toBe('7');
  });

  it('answer undefined for 204', async () => {
    await expect(answering(204, '').session.logOut()).resolves.toBeUndefined();
  });
});
