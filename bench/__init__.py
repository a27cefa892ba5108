"""Speed of the whole job, measured on a real Kafka; ``python -m bench`` (``make bench``) prints the table."""
