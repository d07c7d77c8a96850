"""Answers of commercial maps: read as heatmaps, and ours written in their shapes."""
