"""No Kafka client of ours is made without the options that let it in."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "stream_app"
CLIENTS = {"AIOKafkaClient", "AIOKafkaAdminClient", "AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaConnection"}
ONLY_LOCAL = {"demonstration/following.py"}
"""Clients of a broker that the command has started itself."""


def calls(file: Path) -> list[ast.Call]:
    found = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    return [call for call in found if (call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")) in CLIENTS]


def test_every_client_gets_the_security_options() -> None:
    made = {str(file.relative_to(SOURCE)): calls(file) for file in SOURCE.rglob("*.py")}
    assert sum(map(len, made.values())) > 12
    for name, clients in made.items():
        for call in clients:
            spread = [ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg is None]
            assert name in ONLY_LOCAL or any("security" in text for text in spread), f"{name}:{call.lineno}"
