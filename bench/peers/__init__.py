"""One job for everyone: Deskpulse's engine and its peers, side by side on one real Kafka (``python -m bench.peers``)."""
