"""One file per contender: a program for the job of ``bench.peers.job``, run as ``python -m bench.peers.contenders.NAME``."""
