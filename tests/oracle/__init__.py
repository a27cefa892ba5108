"""An independent batch computation of every published KPI: DuckDB SQL over the input events."""
