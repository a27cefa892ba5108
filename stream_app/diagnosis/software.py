"""Python and the libraries, compared with what this release was tested with."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys
from collections.abc import Iterator

from stream_app.diagnosis.findings import Finding, ok, problem, unknown

LEAST_PYTHON = (3, 11)
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*([^;]*)(;.*)?")


def software_findings() -> Iterator[Finding]:
    """One finding for Python, one for ourselves, one per library that we import directly."""
    yield _python(sys.version_info[:2])
    yield from _libraries()


def _python(version: tuple[int, int]) -> Finding:
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if version < LEAST_PYTHON:
        return problem("python", detail, f"use Python {LEAST_PYTHON[0]}.{LEAST_PYTHON[1]} or newer")
    return ok("python", detail)


def _libraries() -> Iterator[Finding]:
    try:
        distribution = importlib.metadata.distribution("deskpulse")
    except importlib.metadata.PackageNotFoundError:
        yield unknown("deskpulse", "runs from its source, not installed", "pip install . in the source directory")
        return
    yield ok("deskpulse", distribution.version)
    for requirement in distribution.requires or ():
        yield from _library(requirement)


def _library(requirement: str) -> Iterator[Finding]:
    match = _REQUIREMENT.fullmatch(requirement)
    if match is None:
        return
    name, wanted, condition = match.group(1), match.group(2).strip(), match.group(3)
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        if condition:
            yield unknown(name, "not installed", "only the embedded broker needs it: use `deskpulse broker kafka`")
        else:
            yield problem(name, "not installed", f"pip install '{name}{wanted}'")
        return
    if satisfies(version, wanted):
        yield ok(name, version)
    else:
        yield problem(name, f"{version}, but {wanted} is needed", f"pip install '{name}{wanted}'")


def satisfies(version: str, wanted: str) -> bool:
    """Whether ``version`` fulfils simple conditions such as ``>=0.14,<0.15``; those it does not know it lets pass."""
    checks = {
        ">=": lambda have, limit: have >= limit,
        "<": lambda have, limit: have < limit,
        "==": lambda have, limit: have == limit,
    }
    for condition in filter(None, (part.strip() for part in wanted.split(","))):
        found = re.fullmatch(r"(>=|==|<)\s*([0-9.]+)", condition)
        if found and not checks[found.group(1)](_numbers(version), _numbers(found.group(2))):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    digits = [int(part) for part in re.findall(r"\d+", version)[:4]]
    while digits and digits[-1] == 0:
        digits.pop()
    return tuple(digits)
