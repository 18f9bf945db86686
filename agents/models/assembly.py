"""Tool calls and signed thoughts, put together from the pieces of a stream.

Providers agree on less than the format says: the index may be missing (then a new id begins a new call), two calls may
have the same id, and a name may be missing altogether.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.models.gateway import Delta


@dataclass
class PartialCall:
    """A tool call as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class ToolCallAssembly:
    """Takes the tool-call pieces of one reply, in the order in which they come."""

    calls: list[PartialCall] = field(default_factory=list)
    _at: dict[int, int] = field(default_factory=dict)
    """What the stream calls an index, to the place of the newest call that has it."""

    def take(self, pieces: Sequence[Any]) -> list[Delta]:
        """Add the pieces of one chunk; what each adds to which call."""
        return [
            self._take(position if piece.index is None else piece.index, piece) for position, piece in enumerate(pieces)
        ]

    def _take(self, index: int, piece: Any) -> Delta:
        place = self._at.get(index)
        identity, name = piece.id or "", piece.function.name or ""
        if place is None or (identity and self.calls[place].id and identity != self.calls[place].id):
            place = len(self.calls)
            self._at[index] = place
            self.calls.append(PartialCall())
        call = self.calls[place]
        call.id = call.id or identity
        if not call.name:
            call.name = name
        call.extra |= getattr(piece, "provider_specific_fields", None) or {}
        arguments = piece.function.arguments or ""
        call.arguments.append(arguments)
        return Delta("tool", arguments, place, name)


@dataclass
class ThoughtAssembly:
    """Takes the pieces of thinking blocks. A block ends with its signature; one without a signature is not kept.

    litellm's own assembly has the text of a block twice: the piece with the signature repeats those before it.
    """

    blocks: list[dict[str, Any]] = field(default_factory=list)
    _begun: str = ""

    def take(self, pieces: Sequence[Any]) -> None:
        """Add the pieces of one chunk."""
        for piece in map(dict, pieces):
            if piece.get("type") == "redacted_thinking":
                self._begun = ""
                self.blocks.append(piece)
                continue
            text = piece.get("thinking") or ""
            if not piece.get("signature"):
                self._begun += text
                continue
            whole = text if text.startswith(self._begun) else self._begun + text
            self.blocks.append({"type": "thinking", "thinking": whole, "signature": piece["signature"]})
            self._begun = ""
