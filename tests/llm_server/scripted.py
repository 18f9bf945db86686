"""A provider with a wire of its own (Anthropic's, Google's): streams what a test has written, one reply a request."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Events = Sequence[Mapping[str, Any]]
"""The chunks of one reply. One that has a ``type`` is sent as a named event."""


@contextmanager
def serve_scripted(*replies: Events) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Address of a server on loopback, and the bodies of the requests that came; the last reply is given for ever."""
    bodies: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = b"".join(map(_event, replies[min(len(bodies), len(replies)) - 1]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", bodies
        server.shutdown()


def anthropic(*blocks: Mapping[str, Any]) -> Events:
    """A reply of Anthropic's that is made of ``blocks``, each as the next request has to bring it back."""
    usage = {"input_tokens": 50, "output_tokens": 20}
    start = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "claude", "usage": usage}
    events: list[Mapping[str, Any]] = [{"type": "message_start", "message": start}]
    for index, block in enumerate(blocks):
        empty, deltas = _pieces(block)
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": usage})
    return [*events, {"type": "message_stop"}]


def gemini(*parts: Mapping[str, Any]) -> Events:
    """A reply of Google's with one part in a chunk."""
    chunks: list[dict[str, Any]] = [
        {"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}]} for part in parts
    ]
    chunks[-1]["candidates"][0]["finishReason"] = "STOP"
    chunks[-1]["usageMetadata"] = {"promptTokenCount": 50, "candidatesTokenCount": 20, "totalTokenCount": 70}
    return chunks


def _pieces(block: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """A block as it begins, and what is streamed into it."""
    match block["type"]:
        case "thinking":
            half = len(block["thinking"]) // 2
            thoughts = (block["thinking"][:half], block["thinking"][half:])
            deltas = [{"type": "thinking_delta", "thinking": thought} for thought in thoughts]
            signature = {"type": "signature_delta", "signature": block["signature"]}
            return {**block, "thinking": "", "signature": ""}, [*deltas, signature]
        case "text":
            return {**block, "text": ""}, [{"type": "text_delta", "text": block["text"]}]
        case "tool_use":
            arguments = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            return {**block, "input": {}}, [arguments]
        case _:
            return block, []


def _event(value: Mapping[str, Any]) -> bytes:
    name = f"event: {value['type']}\n" if "type" in value else ""
    return f"{name}data: {json.dumps(value)}\n\n".encode()
