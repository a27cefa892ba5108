"""Real faults: real Kafka, real worker processes, simulated load, and after each fault every published KPI against the truth."""
