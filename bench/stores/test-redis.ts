import { createServer, type Socket } from 'node:net';
import { portOf } from './test-server.ts';

export interface TestRedis {
  readonly port: number;
  /** Every command that came, in order, and which connection it came from. */
  readonly commands: readonly { readonly connection: number; readonly command: string }[];
  close(): void;
}

/** A server that takes RESP commands and answers them as `answer` says: with the bytes of RESP, or not at all. */
export async function testRedis(answer: (command: string) => string | undefined): Promise<TestRedis> {
  const sockets: Socket[] = [];
  const commands: { connection: number; command: string }[] = [];
  const server = createServer((socket) => {
    const connection = sockets.push(socket);
    let received = '';
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      for (let parsed = firstCommand(received); parsed !== undefined; parsed = firstCommand(received)) {
        received = received.slice(parsed.length);
        commands.push({ connection, command: parsed.command });
        const reply = answer(parsed.command);
        if (reply !== undefined) socket.write(reply, 'latin1');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: portOf(server.address()), commands, close };
}

/** An array of bulk strings, its parts with spaces between them. */
function firstCommand(text: string): { command: string; length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return undefined;
  const parts: string[] = [];
  let at = head[0].length;
  for (let i = 0; i < Number(head[1]); i++) {
    const size = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (size === null) return undefined;
    const start = at + size[0].length;
    at = start + Number(size[1]) + 2;
    if (text.length < at) return undefined;
    parts.push(text.slice(start, at - 2));
  }
  return { command: parts.join(' '), length: at };
}
