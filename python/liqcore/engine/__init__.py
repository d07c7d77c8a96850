"""The engine: market events in, live levels, columns and features out."""
