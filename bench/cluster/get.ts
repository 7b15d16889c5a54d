import { get as httpGet } from 'node:http';

const TIMEOUT_MS = 30_000;

/** The body of a 200 answer, over a connection of its own: nodes come and go. Rejects when there is none within 30 s. */
export function get(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpGet(url, { agent: false, timeout: TIMEOUT_MS }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        if (answer.statusCode === 200) resolve(body);
        else reject(new Error(`GET ${url}: ${answer.statusCode} ${body}`));
      });
    });
    request.on('timeout', () => request.destroy(new Error(`GET ${url}: no answer within ${TIMEOUT_MS} ms`)));
    request.on('error', reject);
  });
}
