"""Everything on one machine: a broker and our own commands as processes, watched and stopped together."""
