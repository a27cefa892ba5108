"""An installation on a secured Kafka: topics and rights as our own commands make and print them, and each user's configuration."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from stream_app.cli import main
from stream_app.engine import ExitCode
from stream_app.settings import Settings, load_settings
from tests.support.certificates import written
from tests.support.secured_kafka import ADMIN, SecuredKafka
from tests.support.waiting import eventually


class Installation:
    """What is printed by `topics acls` is allowed, what `topics create` makes is there."""

    def __init__(self, kafka: SecuredKafka, directory: Path) -> None:
        self.kafka = kafka
        self.directory = directory
        kafka.allow(self.acls())
        created = self.run(ADMIN, "topics", "create")
        assert created.exit_code == 0, created.output

    def acls(self) -> list[str]:
        """The printed commands."""
        return self.run(ADMIN, "topics", "acls").stdout.splitlines()

    @contextmanager
    def without(self, pattern: str) -> Iterator[None]:
        """Those of the printed rights whose command matches are taken away for a while."""
        commands = [command for command in self.acls() if re.search(pattern, command)]
        assert commands
        self.kafka.disallow(commands)
        try:
            yield
        finally:
            self.kafka.allow(commands)

    def configuration(self, user: str, *, progress: str = "declared", **changes: str | Path) -> Path:
        """The file of one user, with other keys of [kafka] as wished."""
        keys: dict[str, str | Path] = {
            "bootstrap_servers": self.kafka.bootstrap,
            "security_protocol": "SASL_SSL",
            "sasl_username": user,
            "sasl_password_file": written(self.directory / f"{user}.password", self.kafka.passwords[user] + "\n"),
            "ssl_ca_file": self.kafka.ca_file,
        }
        kafka = "".join(f'{key} = "{value}"\n' for key, value in (keys | changes).items())
        inputs = "".join(f'[inputs.{name}]\nprogress = "{progress}"\n' for name in ("contacts", "resolutions", "surveys"))
        file = self.directory / f"{user}.toml"
        file.write_text(f"[kafka]\n{kafka}[kpis]\nspan = true\n[metrics]\nport = 0\n[board]\nport = 0\n{inputs}")
        return file

    def settings(self, user: str) -> Settings:
        return load_settings(self.configuration(user), {})

    def run(self, user: str, *arguments: str, **changes: Any) -> Result:
        """One of our commands, in this process; ``changes`` as for the configuration."""
        return CliRunner().invoke(main, ["--config", str(self.configuration(user, **changes)), *arguments])

    @contextmanager
    def running(self, user: str, *arguments: str, **changes: Any) -> Iterator[Command]:
        """One of our commands, in a process of its own that ends with the block."""
        command = Command(self.configuration(user, **changes), arguments)
        try:
            yield command
        finally:
            command.process.kill()
            command.process.wait()


class Command:
    """A process with its log."""

    def __init__(self, configuration: Path, arguments: tuple[str, ...]) -> None:
        self.log_file = configuration.with_suffix(f".{arguments[0]}.log")
        words = [sys.executable, "-m", "stream_app.cli", "--config", str(configuration), *arguments]
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def says(self, pattern: str) -> str:
        """The group of the pattern in the log, once it is there."""

        def found() -> str:
            assert self.process.poll() is None, self.log
            match = re.search(pattern, self.log)
            return match.group(1) if match else ""

        return eventually(found, within_seconds=30, what=pattern)

    def refusal(self) -> list[str]:
        """The whole log of a worker that is not let in, line by line, without instant, level and name."""
        assert self.process.wait(30) == ExitCode.ACCESS_DENIED, self.log
        return [line.partition(": ")[2].removesuffix(" event=worker_refuses") for line in self.log.splitlines()]
