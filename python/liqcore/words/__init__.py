"""Words that callers write and files that are written: times, thresholds, whole files."""
