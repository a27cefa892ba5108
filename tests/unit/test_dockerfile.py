"""What can be known of the ``Dockerfile`` without Docker."""

from __future__ import annotations

import json
import re

from tests.support import compose
from tests.support.compose import ROOT

TEXT = (ROOT / "Dockerfile").read_text()
LINES = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE)).splitlines()


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage, with their arguments."""
    found: list[list[tuple[str, str]]] = []
    for line in filter(None, LINES):
        instruction, _, rest = line.partition(" ")
        if instruction == "FROM":
            found.append([])
        found[-1].append((instruction, " ".join(rest.split())))
    return found


def of_last_stage(instruction: str) -> list[str]:
    return [rest for name, rest in stages()[-1] if name == instruction]


def test_both_stages_stand_on_one_pinned_python() -> None:
    images = {rest.split()[0] for stage in stages() for name, rest in stage if name == "FROM"}
    assert len(stages()) == 2
    assert len(images) == 1
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim-bookworm", images.pop())


def test_the_image_has_no_source_and_no_build_tools() -> None:
    assert of_last_stage("COPY") == ["--from=build /opt/deskpulse /opt/deskpulse"]
    assert not re.search(r"apt-get|pip|gcc", " ".join(of_last_stage("RUN")))


def test_it_runs_as_the_user_that_the_services_and_volumes_are_made_for() -> None:
    user = of_last_stage("USER")[-1]
    made = " ".join(of_last_stage("RUN"))
    assert {service["user"] for service in compose.ours().values()} == {user}
    uid, gid = user.split(":")
    assert f"--gid {gid} deskpulse" in made
    assert f"--uid {uid} --gid {gid}" in made
    assert f"--owner={uid} --group={gid} --mode=0750 /tokens" in made
    assert compose.services()["prometheus"]["group_add"] == compose.services()["grafana"]["group_add"] == [gid]


def test_commands_are_in_exec_form_and_exist() -> None:
    entrypoint = json.loads(of_last_stage("ENTRYPOINT")[-1])
    compose.parse([*entrypoint, *json.loads(of_last_stage("CMD")[-1])])
    compose.parse(json.loads(of_last_stage("HEALTHCHECK")[-1].partition(" CMD ")[2]))
    assert of_last_stage("STOPSIGNAL") == ["SIGTERM"]


def test_what_is_mounted_as_configuration_lies_where_the_command_looks() -> None:
    assert of_last_stage("WORKDIR") == ["/etc/deskpulse"]
    for service in compose.ours().values():
        assert "./deskpulse.toml:/etc/deskpulse/deskpulse.toml:ro" in service["volumes"]
