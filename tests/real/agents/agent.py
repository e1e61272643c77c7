"""An agent with the official Python SDK. argv: {"mode", "url", "token"} or {"mode", "command", "args", "env"}, and its calls:
[{"tool", "arguments", "progress", "leave_after"}]. Prints {"version", "tools", "results"}."""
import json, sys

import anyio
import httpx2
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client


async def called(client, call):
    told = []

    async def progress(progress, total, message):
        told.append(message)

    result = None
    with anyio.move_on_after(call.get("leave_after", 120)):
        result = await client.call_tool(
            call["tool"], call["arguments"], progress_callback=progress if call.get("progress") else None
        )
    if result is None:
        return {"left": True, "progress": told}
    text = "".join(block.text for block in result.content if block.type == "text")
    structured = result.structured_content
    return {"is_error": bool(result.is_error), "structured": structured, "text": text, "progress": told}


async def main(to, calls):
    if "url" in to:
        headers = {"authorization": f"Bearer {to['token']}"}
        http = httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(30, read=90))
        server = streamable_http_client(to["url"], http_client=http)
    else:
        server = StdioServerParameters(command=to["command"], args=to["args"], env=to["env"])
    async with Client(server, mode=to["mode"]) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        results = [await called(client, call) for call in calls]
        print(json.dumps({"version": client.protocol_version, "tools": tools, "results": results}))


anyio.run(main, json.loads(sys.argv[1]), json.loads(sys.argv[2]))
