"""An agent with the official Python SDK. argv: {"mode", "url", "token"} or {"mode", "command", "args", "env"}, and its calls:
[{"tool", "arguments", "progress", "leave_after"}]. Prints {"version", "tools", "results"}. With "tasks" in the first, it follows
tasks, for which the SDK has the hook alone; then it prints {"tasks"} too: each task as it was made and each answer about it."""
import json, sys
from typing import ClassVar, Literal

import anyio
import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.extension import ClientExtension, ResultClaim
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client


class AnyResult(types.Result):
    model_config = {"extra": "allow"}


class CreatedTask(AnyResult):
    result_type: Literal["task"] = "task"


class GetTask(types.Request):
    method: Literal["tasks/get"] = "tasks/get"
    params: dict
    # Without it the SDK sends no `Mcp-Name` over HTTP.
    name_param: ClassVar[str] = "taskId"


class Tasks(ClientExtension):
    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self):
        self.told = []

    def claims(self):
        return [ResultClaim(result_type="task", model=CreatedTask, resolve=self.followed)]

    async def followed(self, created, context):
        task = created.model_dump(by_alias=True, mode="json")
        self.told.append(task)
        while task["status"] == "working":
            await anyio.sleep(task["pollIntervalMs"] / 1000)
            found = await context.session.send_request(GetTask(params={"taskId": task["taskId"]}), AnyResult)
            task = found.model_dump(by_alias=True, mode="json")
            self.told.append(task)
        return types.CallToolResult.model_validate(task["result"])


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
    tasks = Tasks()
    extensions = [tasks] if to.get("tasks") else None
    async with Client(server, mode=to["mode"], extensions=extensions) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        results = [await called(client, call) for call in calls]
        told = {"version": client.protocol_version, "tools": tools, "results": results, "tasks": tasks.told}
        print(json.dumps(told))


anyio.run(main, json.loads(sys.argv[1]), json.loads(sys.argv[2]))
