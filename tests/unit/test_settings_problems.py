"""Every mistake in a configuration is named with its line, its key and what to write instead."""

from __future__ import annotations

import pytest

from stream_app.settings import SettingsError, parse_settings
from stream_app.settings.positions import key_lines


def problems_of(text: str, environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse_settings(text, "d.toml", environment)
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("[kafka]\nreplication_facto = 3", "d.toml:2: kafka.replication_facto", "unknown key. Did you mean `replication_factor`?"),
        ("\n\n[kafak]\nx = 1", "d.toml:4: kafak", "unknown section. Did you mean `kafka`?"),
        ('[kafka]\nzone = "UTC"', "d.toml:2: kafka.zone", "It belongs in [kpis]."),
        ('[kafka]\nlog_partitions = "four"', "d.toml:2: kafka.log_partitions", 'a whole number without quotation marks, not "four"'),
        ("[kafka]\nlog_partitions = true", "d.toml:2: kafka.log_partitions", "a whole number"),
        ("[kafka]\nlog_partitions = 0", "d.toml:2: kafka.log_partitions", "the least is 1"),
        ("[metrics]\nport = 70000", "d.toml:2: metrics.port", "the most is 65535"),
        ("[time]\nallowance = 5", "d.toml:2: time.allowance", '"500ms"'),
        ('[time]\nallowance = "5 parsecs"', "d.toml:2: time.allowance", "not a duration"),
        ('[time]\nhorizon = "2h"', "d.toml:2: time.horizon", "the least is 1d"),
        ('[kpis]\nrepeat_window = "36h"', "d.toml:2: kpis.repeat_window", "a multiple of 1d"),
        ("[time]\nsimulated = 1", "d.toml:2: time.simulated", "true or false"),
        ('[dimensions]\nqueue = "billing"', "d.toml:2: dimensions.queue", 'must be a list, such as ["a", "b"]'),
        ("[dimensions]\nqueue = [1]", "d.toml:2: dimensions.queue", "text in quotation marks"),
        ('[log]\nlevel = "warn"', "d.toml:2: log.level", "Did you mean `warning`?"),
        ('[inputs.contacts]\nprogress = "declare"', "d.toml:2: inputs.contacts.progress", "Did you mean `declared`?"),
        ("[inputs.contacts]\npartition = 3", "d.toml:2: inputs.contacts.partition", "Did you mean `partitions`?"),
        ('[engine]\ncompaction_lag = "10m"', "d.toml:2: engine.compaction_lag", "at least 3600 times engine.checkpoint_interval, 1h"),
        ("kafka = 3", "d.toml:1: kafka", "is a section: write [kafka]"),
        ("[inputs]\ncontacts = 3", "d.toml:2: inputs.contacts", "is a section: write [inputs.contacts]"),
        ("[kafka.topic_prefix]\nx = 1", "d.toml:2: kafka.topic_prefix", "is a single value, not a section"),
        ("[board.goals]\nfcr = true", "d.toml:2: board.goals.fcr", "must be a number"),
        ('[sla]\npause_statuses = ["waiting"]', "d.toml:2: sla.pause_statuses", "Known: `pending_customer`"),
        ("[kpis]\nzone = Europe/Berlin", "d.toml:2", "not valid TOML"),
        ("[kpis", "d.toml:1", "not valid TOML"),
    ],
)
def test_a_wrong_value_is_named_with_line_key_and_remedy(text: str, where: str, words: str) -> None:
    (problem,) = problems_of(text)
    assert problem.startswith(f"{where}: ")
    assert words in problem


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ('[kpis]\nzone = "Europe/Berln"', "d.toml:2: kpis.zone", "Did you mean `Europe/Berlin`?"),
        ('[kpis]\nzone = "../etc/passwd"', "d.toml:2: kpis.zone", "is not a time zone"),
        ('[kpis]\ngrouping_sets = [[], ["qeue"]]', "d.toml:2: kpis.grouping_sets", "Did you mean `queue`?"),
        ('[kpis]\ngrouping_sets = [["queue"]]', "d.toml:2: kpis.grouping_sets", "the total is missing"),
        (
            '[kpis]\ngrouping_sets = [[], ["queue", "team"], ["team", "queue"]]',
            "d.toml:2: kpis.grouping_sets",
            "says the same thing twice",
        ),
        ('[kafka]\nbootstrap_servers = "kafka"', "d.toml:2: kafka.bootstrap_servers", "write host:port"),
        ('[kafka]\ntopic_prefix = "a b"', "d.toml:2: kafka.topic_prefix", "may hold only"),
        ('[inputs.contacts]\ntopic = "deskpulse.in"', "d.toml:2: inputs.contacts.topic", "the prefix of our own topics"),
        ('[inputs.a]\ntopic = "contacts"', "d.toml:2: inputs.a.topic", "already the topic of [inputs.contacts]"),
        ('[inputs.a]\ntopic = "a/b"', "d.toml:2: inputs.a.topic", "may hold only"),
        ('[dimensions]\nqueue = ["other"]', "d.toml:2: dimensions.queue", "a value of our own"),
        ('[dimensions]\nqueue = ["a", "a"]', "d.toml:2: dimensions.queue", "lists a value twice"),
        (
            '[dimensions]\nchannel = ["phone"]\n[kpis]\nqueued_channels = ["phne"]',
            "d.toml:4: kpis.queued_channels",
            "Did you mean `phone`?",
        ),
        ('[sla.targets.first_replay]\ndefault = "1h"', "d.toml:2: sla.targets.first_replay", "Did you mean `first_reply`?"),
        (
            '[dimensions]\npriority = ["p1"]\n[sla.targets.first_reply]\np2 = "1h"',
            "d.toml:4: sla.targets.first_reply.p2",
            "is not in dimensions.priority",
        ),
        ('[time]\nhorizon = "5d"\n[kpis]\nrepeat_window = "5d"', ": kpis.reopen_window", "is longer than time.horizon"),
        ('[time]\nahead_limit = "90d"', "d.toml:2: time.ahead_limit", "is longer than time.horizon"),
        ('[engine]\ncheckpoint_interval = "5m"\ncompaction_lag = "400h"', ": engine.stall_timeout", "longer than engine.checkpoint_interval"),
        ('[kafka]\nrequest_timeout = "1s"\n[engine]\nfetch_wait = "2s"', "d.toml:4: engine.fetch_wait", "shorter than"),
        ('[kafka]\nsecurity_protocol = "SASL_PLAINTEXT"', "d.toml:2: kafka.security_protocol", 'in clear text: use "SASL_SSL"'),
        ('[kafka]\nsecurity_protocol = "TLS"', "d.toml:2: kafka.security_protocol", 'is "TLS".'),
        ('[kafka]\nsasl_mechanism = "GSSAPI"', "d.toml:2: kafka.sasl_mechanism", "SCRAM-SHA-512"),
        ('[kafka]\nsasl_password_file = "p"', "d.toml:2: kafka.sasl_password_file", "no password is sent without encryption"),
        ('[kafka]\nsecurity_protocol = "SSL"\nsasl_username = "u"', "d.toml:3: kafka.sasl_username", '"SASL_SSL"'),
        ('[kafka]\nssl_ca_file = "c"', "d.toml:2: kafka.ssl_ca_file", 'use "SSL" or "SASL_SSL"'),
        ('[kafka]\nsecurity_protocol = "SASL_SSL"\nsasl_username = "u"', ": kafka.sasl_password_file", '"SASL_SSL" needs it'),
        ('[kafka]\nsecurity_protocol = "SASL_SSL"\nsasl_password_file = "p"', ": kafka.sasl_username", '"SASL_SSL" needs it'),
        ('[kafka]\nsecurity_protocol = "SSL"\nssl_key_file = "k"', ": kafka.ssl_certificate_file", "a private key alone"),
        ('[board]\nhost = "0.0.0.0"', "d.toml:2: board.host", "set board.token_file"),
        ('[metrics]\nhost = "worker-1"', "d.toml:2: metrics.host", "set metrics.token_file"),
    ],
)
def test_values_that_contradict_each_other_or_the_world_are_refused(text: str, where: str, words: str) -> None:
    (problem,) = problems_of(text)
    assert f": {problem}".startswith(f": {where.removeprefix(': ')}: ")
    assert words in problem


def test_without_an_enabled_input_nothing_can_run() -> None:
    disabled = "\n".join(f"[inputs.{name}]\nenabled = false" for name in ("contacts", "resolutions", "surveys"))
    (problem,) = problems_of(disabled)
    assert "no input is enabled" in problem


def test_all_problems_are_named_at_once_in_the_order_of_the_file() -> None:
    found = problems_of('[kafka]\nb = 1\n[board]\nport = "x"\n[time]\nzzz = 1', {"DESKPULSE_LOG__LEVEL": "loud"})
    assert [problem.split(": ")[0] for problem in found] == ["DESKPULSE_LOG__LEVEL", "d.toml:2", "d.toml:4", "d.toml:6"]


def test_a_variable_with_a_wrong_value_is_named_itself() -> None:
    (problem,) = problems_of("", {"DESKPULSE_METRICS__PORT": "http"})
    assert problem.startswith("DESKPULSE_METRICS__PORT: metrics.port: must be a whole number")


def test_a_list_in_a_variable_that_is_broken_json_is_refused() -> None:
    (problem,) = problems_of("", {"DESKPULSE_DIMENSIONS__QUEUE": '["a"'})
    assert "must be a list" in problem


def test_default_channels_and_priorities_need_not_be_in_lists_of_ones_own() -> None:
    parse_settings('[dimensions]\nchannel = ["mail"]\npriority = ["p1", "p2"]')


def test_lines_are_found_behind_comments_and_values_that_look_like_keys() -> None:
    text = '''# a = 1
[kafka]  # [b]
client_id = "x = [[ # \\" y"
bootstrap_servers = \'lit = "\'

[kpis]
grouping_sets = [
  [],  # ]
  ["queue"],
]
zone = """
zone = 3
"""
"quoted.key" = { inner = 1, more = [2] }
a.b . c = 1
[[things]]
x = 2024-01-01T00:00:00Z
'''
    assert key_lines(text) == {
        ("kafka",): 2,
        ("kafka", "client_id"): 3,
        ("kafka", "bootstrap_servers"): 4,
        ("kpis",): 6,
        ("kpis", "grouping_sets"): 7,
        ("kpis", "zone"): 11,
        ("kpis", "quoted.key"): 14,
        ("kpis", "a"): 15,
        ("kpis", "a", "b"): 15,
        ("kpis", "a", "b", "c"): 15,
        ("things",): 16,
        ("things", "0"): 16,
        ("things", "0", "x"): 17,
    }
