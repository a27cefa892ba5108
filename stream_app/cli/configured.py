"""For commands that need the settings: load them, or say what is wrong and exit with 2; likewise when Kafka does not let us in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, NoReturn, ParamSpec, TypeVar

import click

from stream_app.kafka_access.security import AccessDeniedError, SecurityFileError
from stream_app.settings import Settings, SettingsError, load_settings

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

EXIT_CONFIGURATION = 2
EXIT_ACCESS_DENIED = 77


def configured(command: Callable[Concatenate[Settings, _Parameters], _Result]) -> Callable[_Parameters, _Result]:
    """Calls ``command`` with the settings in force as its first argument, and ends it with one line when Kafka does not let us in."""

    @functools.wraps(command)
    def with_settings(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        try:
            return command(settings_or_exit(), *args, **kwargs)
        except SecurityFileError as error:
            end(error, EXIT_CONFIGURATION)
        except AccessDeniedError as error:
            end(error, EXIT_ACCESS_DENIED)

    return with_settings


def settings_or_exit() -> Settings:
    """The settings in force; exits with 2 and every problem on standard error if there are any."""
    try:
        return load_settings()
    except SettingsError as error:
        refuse(error)


def end(error: Exception, code: int) -> NoReturn:
    """Prints the one sentence of an error and exits."""
    click.echo(f"✗ {error}", err=True)
    raise SystemExit(code) from error


def refuse(error: SettingsError, hint: str = "Every key is explained by `deskpulse config example`.") -> NoReturn:
    """Prints the problems, one per line as ``file:line: key: message``, and the hint, and exits with 2."""
    for problem in error.problems:
        click.echo(f"✗ {problem}", err=True)
    click.echo(f"\n{hint}", err=True)
    raise SystemExit(EXIT_CONFIGURATION)
