/** A service with few file descriptors and a client in one process. Prints the response to a submission. */
import { closeSync, openSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { once } from 'node:events';
import { FILE_HEAD, MULTIPART, multipart, openService, VIDEO } from './service-under-test.ts';

const service = await openService();
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const body = multipart([
  { head: 'Content-Disposition: form-data; name="pipeline_id"', body: 'ocr_only' },
  { head: FILE_HEAD, body: VIDEO },
]);
const submit = async (): Promise<string> => {
  const sent = request({ agent, port: service.port, path: '/video/submit', method: 'POST', headers: MULTIPART });
  sent.end(body);
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return `${response.statusCode} ${response.headers['retry-after'] ?? '-'} ${text}`;
};

await submit(); // opens the connection, while that is possible
const held: number[] = [];
try {
  for (;;) held.push(openSync('/dev/null', 'r'));
} catch {
  // as many as the limit allows
}
const without = await submit();
for (const descriptor of held) closeSync(descriptor);
const again = await submit();
process.stdout.write(`${without}\n${again}\n`);
agent.destroy();
await service.close();
