import { afterEach, describe, expect, it } from 'vitest';
import { type CannedAnswer, CannedServer, closedAddress, FACTS, problem } from '../../test/canned-server.ts';
import { quorate } from '../../test/child-process.ts';

let server: CannedServer | undefined;
afterEach(() => server?.stop());

/** Runs the command against a node that gives this one answer. */
async function against(answer: CannedAnswer, args: readonly string[], input?: string | Uint8Array) {
  const canned = await CannedServer.start(() => answer);
  server = canned;
  const { code, stdout, stderr } = await quorate([...args, '--url', canned.address], input);
  return {
    code,
    stdout,
    text: stdout.toString('utf8'),
    stderr,
    request: canned.requests[0],
    requests: canned.requests,
  };
}

const VALUE = { ...FACTS, 'content-type': 'text/plain', 'quorate-meta-by': 'ann' };

describe('quorate get', () => {
  it('prints the value byte by byte and nothing else', async () => {
    const bytes = Uint8Array.of(0, 10, 255, 13);
    const result = await against({ status: 200, headers: FACTS, body: bytes }, [
      'get',
      'carts',
      '42',
      '--r',
      '2',
      '--timeout',
      '250ms',
    ]);
    expect(result).toMatchObject({ code: 0, stderr: '', request: { target: '/v1/kv/carts/42?r=2&timeout=250ms' } });
    expect([...result.stdout]).toEqual([...bytes]);
  });

  it('shows the context on stderr when asked', async () => {
    const result = await against({ status: 200, headers: FACTS, body: 'v' }, ['get', 'b', 'k', '--show-context']);
    expect(result).toMatchObject({ code: 0, text: 'v', stderr: 'quorate: context: AbC_-1\n' });
  });

  it('prints one JSON document with --json', async () => {
    const { text } = await against({ status: 200, headers: VALUE, body: 'é' }, [
      'get',
      'b',
      'k',
      '--json',
      '--pr',
      '1',
      '--dot',
      'd1',
    ]);
    expect(JSON.parse(text)).toEqual({
      kind: 'value',
      value: 'é',
      contentType: 'text/plain',
      meta: { by: 'ann' },
      context: 'AbC_-1',
      quorum: 'r=2/2; owners=2; fallbacks=0; hedged=0',
      epoch: 17,
      node: 'n2',
    });
  });

  it('prints bytes that are no UTF-8 as base64 with --json', async () => {
    const { text } = await against({ status: 200, headers: VALUE, body: Uint8Array.of(255) }, [
      'get',
      'b',
      'k',
      '--json',
    ]);
    expect(JSON.parse(text)).toMatchObject({ valueBase64: '/w==' });
  });

  it('of nothing: exit code 3, nothing on stdout', async () => {
    const result = await against(problem(404, 'not-found', 'Not found', 'nothing is there'), ['get', 'carts', 'x']);
    expect(result).toMatchObject({ code: 3, text: '', stderr: 'quorate: nothing under carts/x\n' });
  });

  it('of siblings: exit code 4, all of them as JSON on stdout with the context that replaces them', async () => {
    const siblings = [
      { dot: 'd1', contentType: 'text/plain', value: 'a', lastModified: '2026-11-20T00:00:00Z', meta: {} },
      { dot: 'd2', contentType: 'image/png', valueBase64: 'AP8=', lastModified: '2026-11-20T00:00:00Z', meta: {} },
    ];
    const answer = {
      status: 300,
      headers: { ...FACTS, 'content-type': 'application/json' },
      body: JSON.stringify({ siblings }),
    };
    const result = await against(answer, ['get', 'b', 'k']);
    expect(result).toMatchObject({ code: 4, stderr: '' });
    expect(JSON.parse(result.text)).toMatchObject({ siblings, context: 'AbC_-1' });
  });

  it.each(['quorum-not-met', 'quorum-impossible', 'deadline-exceeded'])(
    '%s: exit code 5 and one clear line',
    async (code) => {
      const result = await against(problem(504, code, 'Too few answers', '1 of 2 replicas answered'), [
        'get',
        'b',
        'k',
      ]);
      expect(result).toMatchObject({
        code: 5,
        text: '',
        stderr: `quorate: Too few answers: 1 of 2 replicas answered (${code})\n`,
      });
    },
  );
});

describe('quorate put', () => {
  it('writes VALUE and says nothing', async () => {
    const result = await against({ status: 204, headers: FACTS }, [
      'put',
      'carts',
      'a/b',
      'hello',
      '--w',
      'all',
      '--pw',
      '1',
      '--sloppy',
      'false',
      '--context',
      'OLD',
      '--content-type',
      'text/plain',
      '--meta',
      'By=ann',
      '--meta',
      'x=1=2',
    ]);
    expect(result).toMatchObject({ code: 0, text: '', stderr: '' });
    expect(result.request).toMatchObject({
      method: 'PUT',
      target: '/v1/kv/carts/a/b?w=all&pw=1&sloppy=false',
      body: 'hello',
      headers: {
        'causal-context': 'OLD',
        'content-type': 'text/plain',
        'quorate-meta-by': 'ann',
        'quorate-meta-x': '1=2',
      },
    });
  });

  it('reads stdin when VALUE is left out', async () => {
    const { code, request } = await against({ status: 204, headers: FACTS }, ['put', 'b', 'k'], 'from stdin\n');
    expect([code, request?.body]).toEqual([0, 'from stdin\n']);
  });

  it('writes an empty VALUE that was given', async () => {
    const { code, request } = await against({ status: 204, headers: FACTS }, ['put', 'b', 'k', ''], 'not this');
    expect([code, request?.body]).toEqual([0, '']);
  });

  it('prints the new context with --json', async () => {
    const { text } = await against({ status: 204, headers: FACTS }, ['put', 'b', 'k', 'v', '--json']);
    expect(JSON.parse(text)).toMatchObject({ context: 'AbC_-1', epoch: 17, node: 'n2' });
  });

  it('that missed its quorum says what became of the write, exit code 5', async () => {
    const missed = problem(504, 'quorum-not-met', 'Write quorum not met', '1 of 2 required', { outcome: 'unknown' });
    const result = await against(missed, ['put', 'b', 'k', 'v']);
    expect(result).toMatchObject({
      code: 5,
      stderr: 'quorate: Write quorum not met: 1 of 2 required (quorum-not-met), outcome unknown\n',
    });
  });
});

describe('quorate delete and list', () => {
  it('delete succeeds silently', async () => {
    const result = await against({ status: 204, headers: FACTS }, ['delete', 'b', 'k', '--w', 'one', '--show-context']);
    expect(result).toMatchObject({ code: 0, text: '', request: { method: 'DELETE', target: '/v1/kv/b/k?w=one' } });
    expect(result.stderr).toBe('quorate: context: AbC_-1\n');
  });

  it('list shows what the server says, also that it cannot', async () => {
    const result = await against(problem(400, 'not-supported', 'Not supported', 'listing is not built yet'), [
      'list',
      'carts',
    ]);
    expect(result).toMatchObject({ code: 1, text: '', request: { target: '/v1/kv/carts' } });
    expect(result.stderr).toBe('quorate: Not supported: listing is not built yet (not-supported)\n');
  });

  it('list prints the listing as one JSON document', async () => {
    const listing = { keys: ['a', 'b'], cursor: '', complete: true };
    expect(JSON.parse((await against({ status: 200, body: JSON.stringify(listing) }, ['list', 'carts'])).text)).toEqual(
      listing,
    );
  });
});

describe('quorate status and ring', () => {
  const member = {
    id: 'n1',
    number: 1,
    zone: 'a',
    host: '127.0.0.1',
    http: 8081,
    rpc: 9081,
    state: 'active',
    seenAs: 'up',
  };
  const settings = { r: 'quorum', w: 2, durability: 'flush' };
  const cluster = { cluster: 'demo', epoch: 3, leader: null, n: 3, partitions: 64, settings, members: [member] };

  it('status shows settings and members', async () => {
    const { code, text, request } = await against({ status: 200, body: JSON.stringify(cluster) }, ['status']);
    expect([code, request?.target]).toEqual([0, '/v1/cluster']);
    expect(text).toMatch(/^cluster +demo\nepoch +3\nleader +none\n/);
    expect(text).toMatch(/replication +n=3 r=quorum w=2\n/);
    expect(text).toMatch(/\nID +NUMBER.*\nn1 +1 +a +127\.0\.0\.1 +8081 +9081 +active +up\n$/);
  });

  it('ring shows owners and, while they change, the next ones', async () => {
    const ring = {
      epoch: 3,
      partitions: [
        { partition: 0, owners: ['n1', 'n2'], next: null },
        { partition: 1, owners: ['n2'], next: ['n3'] },
      ],
    };
    const { text } = await against({ status: 200, body: JSON.stringify(ring) }, ['ring']);
    expect(text).toBe('epoch 3\nPARTITION  OWNERS\n0          n1 n2\n1          n2      -> n3\n');
  });

  it('ring with bucket and key shows where the key lives', async () => {
    const place = { epoch: 3, partition: 9, owners: ['n2', 'n3'], preferenceList: ['n2', 'n3', 'n1'] };
    const { text, request } = await against({ status: 200, body: JSON.stringify(place) }, [
      'ring',
      '--bucket',
      'b',
      '--key',
      'a/b',
    ]);
    expect(request?.target).toBe('/v1/cluster/ring?bucket=b&key=a%2Fb');
    expect(text).toBe('epoch            3\npartition        9\nowners           n2 n3\npreference list  n2 n3 n1\n');
  });
});

describe('wrong usage', () => {
  it.each([
    [['get', 'b', 'k', '--r', '0'], /option '--r <level>' argument '0' is invalid/],
    [['get', 'b', 'k', '--sloppy', 'no'], /Expected true or false/],
    [['get', 'b', 'k', '--r', 'qourum'], /Expected a number from 1, one, quorum or all/],
    [['get', 'b', 'k', '--r', 'local_quorum'], /local_quorum is not supported yet/],
    [['put', 'b', 'k', 'v', '--timeout', '2'], /Expected 1ms\.\.1m/],
    [['put', 'b', 'k', 'v', '--timeout', '61s'], /Expected 1ms\.\.1m/],
    [['put', 'b', 'k', 'v', '--meta', 'nothing'], /Expected NAME=VALUE/],
    [['get', 'b', 'k', '--contxt', 'x'], /unknown option '--contxt'/],
    [['get', 'b'], /missing required argument 'key'/],
    [['get', 'b', 'k', 'extra'], /too many arguments/],
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['get', 'b', 'a/../k'], /Bad key/],
    [['get', 'b b', 'k'], /Bad bucket/],
    [['get', 'b', 'k', '--url', 'ftp://h'], /Bad URL/],
    [['ring', '--bucket', 'b'], /--bucket and --key go together/],
    [['join', 'n4', '--zone', 'd'], /"join" is not part of this release/],
  ])('%j: exit code 2 and one line', async (args, line) => {
    const { code, stdout, stderr } = await quorate(args);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(line);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/^quorate: /);
  });

  it('asks for help without being an error', async () => {
    const { code, stdout } = await quorate(['--help']);
    expect(code).toBe(0);
    expect(stdout.toString()).toMatch(/Usage: quorate/);
    expect((await quorate(['--version'])).stdout.toString()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('a node that cannot be reached', () => {
  it('exit code 1 and one line that names it', async () => {
    const address = await closedAddress();
    const { code, stderr } = await quorate(['get', 'b', 'k', '--url', `http://${address}`]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `quorate: Cannot connect: http://${address} (ECONNREFUSED) (unreachable)\n`,
    });
  });
});
