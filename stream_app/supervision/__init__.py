"""Several worker processes on one machine, started, watched and stopped as one."""
