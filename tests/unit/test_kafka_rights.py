"""One list of rights: what is printed, what the pages say, and what is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from stream_app.cli import main
from stream_app.kafka_access.granted import NOT_TOLD, allows, denied
from stream_app.kafka_access.rights import Right, acl_table, grants, worker_rights
from stream_app.kafka_access.security import ClientSecurity
from stream_app.settings import Settings, parse_settings
from stream_app.topics import specs_of
from tests.support.secured_kafka import Entry, entries

ROOT = Path(__file__).parents[2]
OWN = parse_settings('[kafka]\ntopic_prefix = "desk.eu"\ngroup_prefix = "eu"\n[inputs.contacts]\ntopic = "calls"\n[inputs.surveys]\nenabled = false')


def printed(*arguments: str) -> list[str]:
    done = CliRunner().invoke(main, ["topics", *arguments], env={"DESKPULSE_CONFIG": "/dev/null"})
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_a_worker_is_granted_everything_that_it_looks_for() -> None:
    for settings in (Settings(), OWN):
        given = [grant for grant in grants(settings) if grant.role == "worker"]
        for right in worker_rights(settings):
            matching = (
                grant
                for grant in given
                if grant.resource == right.resource and any(right.name.startswith(name) if grant.prefixed else right.name == name for name in grant.names)
            )
            assert right.operation in {operation for grant in matching for operation in grant.operations}, right


def test_a_worker_looks_for_a_right_on_every_topic_there_is() -> None:
    assert {right.name for right in worker_rights(OWN)} == {spec.name for spec in specs_of(OWN)} | {"eu-worker"}


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/connect-to-your-kafka.md"])
def test_the_pages_list_exactly_these_rights(page: str) -> None:
    assert acl_table(Settings()) in (ROOT / page).read_text()


def test_the_printed_commands_give_each_user_exactly_its_rights() -> None:
    made = {entry for command in printed("acls", "--worker", "User:a", "--worker", "User:b") for entry in entries(command)}
    principals = {"admin": ["User:deskpulse-admin"], "worker": ["User:a", "User:b"], "reader": ["User:deskpulse-reader"], "sender": ["User:deskpulse-sender"]}
    codes = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
    assert made == {
        Entry({"topic": 2, "group": 3}[grant.resource], name, 4 if grant.prefixed else 3, principal, "*", codes[operation], 3)
        for grant in grants(Settings())
        for name in grant.names
        for principal in principals[grant.role]
        for operation in grant.operations
    }


def test_the_printed_topics_are_those_that_would_be_created(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKPULSE_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("DESKPULSE_KAFKA__REPLICATION_FACTOR", "3")
    lines = printed("create", "--print")
    assert len(lines) == len(specs_of(Settings()))
    events = next(line for line in lines if "--topic deskpulse.events " in line)
    assert events.startswith("kafka-topics.sh --bootstrap-server 127.0.0.1:1 --create --if-not-exists --topic deskpulse.events ")
    for option in ("--partitions 4", "--replication-factor 3", "--config retention.bytes=-1", "--config min.insync.replicas=2"):
        assert f" {option} " in f"{events} "


def test_the_printed_commands_have_no_secret_but_the_name_of_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DESKPULSE_KAFKA__SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("DESKPULSE_KAFKA__SASL_USERNAME", "deskpulse")
    monkeypatch.setenv("DESKPULSE_KAFKA__SASL_PASSWORD_FILE", str(tmp_path / "not read"))
    for lines in (printed("create", "--print"), printed("acls")):
        assert all(" --command-config admin.properties " in line for line in lines)


def test_an_answer_has_a_bit_for_each_operation_and_may_say_nothing() -> None:
    read_and_describe = 1 << 3 | 1 << 8
    assert allows(read_and_describe, "Read")
    assert not allows(read_and_describe, "Write")
    assert allows(NOT_TOLD, "Write")


def test_many_missing_rights_are_one_sentence_that_names_the_first_three() -> None:
    missing = [Right("topic", f"t{number}", "Read") for number in range(5)]
    said = str(denied(ClientSecurity({}, 'user "eve"'), missing))
    expected = 'the brokers do not allow user "eve" to Read topic t0, Read topic t1, Read topic t2 and 2 more'
    assert said == f"{expected}: `deskpulse topics acls` prints the commands that give all rights"
