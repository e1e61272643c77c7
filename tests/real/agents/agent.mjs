// An agent with the official TypeScript SDKs: `@modelcontextprotocol/sdk` (mode "sdk"), and `@modelcontextprotocol/client`, its
// successor (modes "auto" and "legacy"). The same arguments and output as agent.py.
const [to, calls] = process.argv.slice(2).map((text) => JSON.parse(text));
const isFirst = to.mode === 'sdk';
const names = isFirst
  ? ['sdk/client/index.js', 'sdk/client/stdio.js', 'sdk/client/streamableHttp.js']
  : ['client', 'client/stdio', 'client'];
const [{ Client }, { StdioClientTransport }, { StreamableHTTPClientTransport }] = await Promise.all(
  names.map((name) => import(`@modelcontextprotocol/${name}`)),
);
const transport = to.url
  ? new StreamableHTTPClientTransport(new URL(to.url), { requestInit: { headers: { authorization: `Bearer ${to.token}` } } })
  : new StdioClientTransport({ command: to.command, args: to.args, env: to.env });
const client = new Client({ name: 'agent', version: '0' }, isFirst ? {} : { versionNegotiation: { mode: to.mode } });
await client.connect(transport);
const tools = (await client.listTools()).tools.map((tool) => tool.name);
const results = [];
for (const call of calls) {
  const progress = [];
  const leave = new AbortController();
  const timer = call.leave_after && setTimeout(() => leave.abort('enough'), call.leave_after * 1000);
  const options = { signal: leave.signal, ...(call.progress && { onprogress: ({ message }) => progress.push(message) }) };
  const asked = { name: call.tool, arguments: call.arguments };
  try {
    const result = await (isFirst ? client.callTool(asked, undefined, options) : client.callTool(asked, options));
    const text = result.content.map((block) => block.text ?? '').join('');
    results.push({ is_error: result.isError ?? false, structured: result.structuredContent, text, progress });
  } catch (error) {
    if (!leave.signal.aborted) throw error;
    results.push({ left: true, progress });
  }
  clearTimeout(timer);
}
const version = client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion;
console.log(JSON.stringify({ version, tools, results }));
await client.close();
process.exit(0);
