"""Apache Kafka's jars: found in the cache, or brought there once by Maven from its configured repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from stream_app.brokers import BrokerUnavailableError

KAFKA_VERSION = "4.2.0"
POM = Path(__file__).with_name("kafka_jars.pom.xml")
DOWNLOAD_TIMEOUT_SECONDS = 600


def cache_dir() -> Path:
    """``$DESKPULSE_CACHE``, else ``deskpulse`` in ``$XDG_CACHE_HOME`` (``~/.cache``)."""
    chosen = os.environ.get("DESKPULSE_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deskpulse"


def java() -> str:
    """The ``java`` to run, of ``$JAVA_HOME`` first. Raises ``BrokerUnavailableError``."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    found = found or shutil.which("java")
    if found is None:
        message = (
            "Apache Kafka needs Java 17 or newer and there is no `java` on the PATH. "
            "On Debian or Ubuntu: apt-get install openjdk-17-jre-headless (or default-jre-headless). "
            "`deskpulse broker embedded` needs no Java."
        )
        raise BrokerUnavailableError(message)
    return found


def jars() -> Path:
    """The directory with Kafka's jars (45 files, 43 MB), filled on first use. Raises ``BrokerUnavailableError``.

    It appears under its name only when it is complete, so two processes may do this at the same time.
    """
    target = cache_dir() / f"kafka-{KAFKA_VERSION}"
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="incoming-") as incoming:
            libraries = Path(incoming) / "libs"
            _download(libraries)
            _publish(libraries, target)
    return target


def _publish(libraries: Path, target: Path) -> None:
    try:
        libraries.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _download(libraries: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        message = (
            f"Apache Kafka {KAFKA_VERSION} is not in the cache yet and bringing it there needs Maven: there is no `mvn` on the PATH. "
            "On Debian or Ubuntu: apt-get install maven. `deskpulse broker embedded` needs neither."
        )
        raise BrokerUnavailableError(message)
    command = [maven, "--quiet", "--batch-mode", "-f", str(POM), "dependency:copy-dependencies"]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={libraries}"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        message = f"Maven did not bring Kafka's jars within {DOWNLOAD_TIMEOUT_SECONDS} s. Check the network and try again."
        raise BrokerUnavailableError(message) from None
    if done.returncode != 0 or not libraries.is_dir():
        end = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        message = f"Maven could not bring Kafka's jars (exit {done.returncode}):\n{end}"
        raise BrokerUnavailableError(message)
